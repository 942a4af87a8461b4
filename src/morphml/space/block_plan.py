"""Compiling blocks into plans: functions that add a member's nodes behind a position."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from morphml.errors import SpaceError
from morphml.hints import nearest
from morphml.space.blocks import (
    Cell,
    Custom,
    Join,
    Layer,
    Nest,
    Parallel,
    Repeat,
    Residual,
    Sequence,
    Shared,
    Tap,
)
from morphml.space.cell_plan import cell_plan
from morphml.space.compiler import Compiler
from morphml.space.domains import Choice, Integer, OptionalBlock, is_integer
from morphml.space.expressions import Expression
from morphml.space.layer_plan import custom_plan, layer_plan
from morphml.space.naming import is_transparent, segment, segments
from morphml.space.places import Place
from morphml.space.tracing import Merger, Plan, Trace
from morphml.space.values import Value, possible_values

#: A repeat or nest has at most so many copies.
COPIES = 1000


def block_plan(block: object, place: Place, compiler: Compiler) -> Plan:  # noqa: C901, PLR0912  (one line for each kind of block)
    """The plan of any block; ``place`` includes the block's own segment.

    Raises:
        SpaceError: whatever the block breaks, with its path.
    """
    compiler.grow(place.path)
    match block:
        case Layer():
            return layer_plan(block, place, compiler)
        case Custom():
            return custom_plan(block, place, compiler)
        case Sequence():
            return chain(block.blocks, place, compiler)
        case Choice():
            return _choice(block, place, compiler)
        case OptionalBlock():
            return _optional(block, place, compiler)
        case Repeat():
            return _repeat(block, place, compiler)
        case Parallel():
            return _parallel(block, place, compiler)
        case Residual():
            return _residual(block, place, compiler)
        case Tap():
            return _tap(block, place, compiler)
        case Join():
            return _join(block, place, compiler)
        case Nest():
            return _nest(block, place, compiler)
        case Shared():
            return _shared(block, place, compiler)
        case Cell():
            return cell_plan(block, place, compiler, block_plan)
        case _:
            raise SpaceError(f"{block!r} is no block", path=place.path)


def chain(blocks: Iterable[object], place: Place, compiler: Compiler) -> Plan:
    """The plan of blocks one after another."""
    blocks = tuple(blocks)
    plans = tuple(
        block_plan(block, place.child(part), compiler)
        for part, block in zip(segments(blocks), blocks, strict=True)
    )
    if len(plans) == 1:
        return plans[0]

    def lower(trace: Trace, source: int) -> int:
        for plan in plans:
            source = plan(trace, source)
        return source

    return lower


def slot(block: object, place: Place, compiler: Compiler) -> Plan:
    """The plan of the only block at a place: an unnamed sequence adds no segment."""
    if is_transparent(block) and isinstance(block, Sequence):
        return chain(block.blocks, place, compiler)
    return block_plan(block, place.child(segment(block)), compiler)


def _choice(choice: Choice, place: Place, compiler: Compiler) -> Plan:
    labels = segments(choice.options)
    index = compiler.declare(choice, place.path, place, tuple(labels))
    plans = tuple(
        block_plan(option, place.child(label).under(compiler.equals(index, (code,))), compiler)
        for code, (label, option) in enumerate(zip(labels, choice.options, strict=True))
    )

    def lower(trace: Trace, source: int) -> int:
        code = trace.codes[index]
        return source if code is None else plans[int(code)](trace, source)

    return lower


def _optional(optional: OptionalBlock, place: Place, compiler: Compiler) -> Plan:
    index, plan = _presence(optional, place, compiler)

    def lower(trace: Trace, source: int) -> int:
        return plan(trace, source) if trace.codes[index] else source

    return lower


def _presence(optional: OptionalBlock, place: Place, compiler: Compiler) -> tuple[int, Plan]:
    index = compiler.declare(optional, place.path, place)
    inside = place.under(compiler.equals(index, (1,)))
    return index, slot(optional.block, inside, compiler)


def _repeat(repeat: Repeat, place: Place, compiler: Compiler) -> Plan:
    times = compiler.value(repeat.times, f"{place.path}/times", place)
    copies = []
    for number in range(_most(repeat.times, place, compiler)):
        inner = place.under(*compiler.more_than(repeat.times, number, times)).scoped()
        if not repeat.tie:
            inner = inner.child(number)
        else:
            inner = replace(inner.unseen(number), revisit=place.revisit or number > 0)
        copies.append(chain(repeat.body, inner, compiler))

    def lower(trace: Trace, source: int) -> int:
        for copy in copies[: _count(times, trace)]:
            source = copy(trace, source)
        return source

    return lower


def _nest(nest: Nest, place: Place, compiler: Compiler) -> Plan:
    times = compiler.value(nest.times, f"{place.path}/times", place)
    levels: list[Place] = []
    around = place
    for number in range(_most(nest.times, place, compiler)):
        terms = compiler.more_than(nest.times, number, times)
        around = replace(place.under(*terms), scope=around.scope).scoped()
        levels.append(around.child(number))
    downs = [slot(nest.down, level.child("down"), compiler) for level in levels]
    inner = slot(nest.inner, place.scoped().child("inner"), compiler)
    ups = [slot(nest.up, level.child("up"), compiler) for level in reversed(levels)][::-1]

    def lower(trace: Trace, source: int) -> int:
        count = _count(times, trace)
        for down in downs[:count]:
            source = down(trace, source)
        source = inner(trace, source)
        for up in reversed(ups[:count]):
            source = up(trace, source)
        return source

    return lower


def _parallel(parallel: Parallel, place: Place, compiler: Compiler) -> Plan:
    how = compiler.value(parallel.merge, f"{place.path}/merge", place)
    branches: list[tuple[int | None, Plan]] = []
    for number, branch in enumerate(parallel.branches):
        inner = place.child(number)
        if isinstance(branch, OptionalBlock):
            branches.append(_presence(branch, inner.child(segment(branch)), compiler))
        else:
            branches.append((None, slot(branch, inner, compiler)))
    merger = Merger(place, parallel.match)

    def lower(trace: Trace, source: int) -> int:
        before = trace.before
        ends = []
        for index, plan in branches:
            if index is None or trace.codes[index]:
                trace.before = before
                ends.append(plan(trace, source))
        trace.before = before
        return merger.merge(trace, str(how.of(trace.codes, None)), ends) if ends else source

    return lower


def _residual(residual: Residual, place: Place, compiler: Compiler) -> Plan:
    body = chain(residual.body, place, compiler)
    merger = Merger(place, residual.match)

    def lower(trace: Trace, source: int) -> int:
        before = trace.before
        end = body(trace, source)
        trace.before = before
        return merger.merge(trace, "add", [end, source])

    return lower


def _tap(tap: Tap, place: Place, compiler: Compiler) -> Plan:
    slots = place.scope.slots
    key = slots.setdefault(tap.name, slots.get(tap.name) or compiler.new_slot())

    def lower(trace: Trace, source: int) -> int:
        trace.taps[key] = source
        return source

    return lower


def _join(join: Join, place: Place, compiler: Compiler) -> Plan:
    key = place.scope.find(join.name)
    if key is None:
        names = place.scope.names()
        near = nearest(join.name, names)
        sight = [near] if near else names[:5]
        known = f"in sight are: {', '.join(sight)}" if sight else "there is none before it"
        raise SpaceError(
            f"join({join.name!r}) reads no tap or input set before it in this scope; {known}",
            path=place.path,
        )
    how = compiler.value(join.how, f"{place.path}/how", place)
    merger = Merger(place, join.match)

    def lower(trace: Trace, source: int) -> int:
        tapped = trace.taps.get(key)
        if tapped is None:
            return source
        manner = str(how.of(trace.codes, None))
        if manner == "replace":
            return tapped
        return merger.merge(trace, manner, [source, tapped])

    return lower


def _shared(shared: Shared, place: Place, compiler: Compiler) -> Plan:
    used = compiler.part(shared.name, repr(shared), place.path)
    inner = replace(
        place.scoped(),
        path=shared.name,
        shared=shared.name,
        revisit=place.revisit or used,
    )
    return slot(shared.block, inner, compiler)


def _most(times: object, place: Place, compiler: Compiler) -> int:
    """The largest count that ``times`` can be.

    Raises:
        SpaceError: when it is not whole, negative, endless, or above `COPIES`.
    """
    if isinstance(times, Integer) and not isinstance(times.high, Expression):
        values: tuple[object, ...] = (times.low, times.high)
    elif isinstance(times, Choice | Integer):
        decision = compiler.decision(times, f"{place.path}/times")
        values = decision.options or (int(decision.low), int(decision.high))
    else:
        values = possible_values(times, compiler.possible)
    for value in values:
        if isinstance(value, Expression):
            continue
        if not is_integer(value) or not 0 <= int(str(value)) <= COPIES:
            raise SpaceError(
                f"times= can be {value!r}: a count is a whole number from 0 to {COPIES}",
                path=place.path,
            )
    return max(int(str(value)) for value in values)


def _count(times: Value, trace: Trace) -> int:
    count = times.of(trace.codes, None)
    assert isinstance(count, int)
    return count
