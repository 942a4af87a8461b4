"""Repeated blocks of a forward pass as classes, so that an exported file reads like hand-made code.

Greedy: of all groups of equal form, the one used most often becomes a class (of those, the largest)
and its uses become single calls; then again, until nothing is worth a class. Inner blocks are used
at least as often as what holds them, so blocks of blocks come out by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from morphml.graph import Shape
from morphml.nn.export.entries import entries, snake
from morphml.nn.export.groups import Group, groups
from morphml.nn.export.parameters import Generalizer, form, parameter_names, unused
from morphml.nn.export.program import BlockClass, Line, Scope
from morphml.nn.expression import Construct, Function, Infix, Lowered, Module, Resolver
from morphml.nn.names import LAYERS

#: Numbers at the end of a path's part: ``cell_2``, ``conv3x3``.
_NUMBERS = re.compile(r"(_?\d+(x\d+)*)+$")
#: Lines that a class must save to be worth its own.
_LEAST_SAVING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """A forward pass with its repeated blocks taken out."""

    scope: Scope
    #: By name; each class stands before those that use it.
    classes: Mapping[str, BlockClass]


def take_out_blocks(scope: Scope, resolve: Resolver) -> Blocks:
    """The same forward pass with classes for the blocks that are used more than once.

    Args:
        scope: the whole forward pass.
        resolve: looks up callees; parameters are named after theirs.
    """
    classes: dict[str, BlockClass] = {}

    def signature(callee: str) -> Sequence[str]:
        if callee in classes:
            return [name for name, _ in classes[callee].parameters]
        return parameter_names(resolve(callee))

    while alike := _best(scope, classes):
        name = _class_name(alike, {*classes, *LAYERS, "Model"})
        block, calls = _block_class(name, alike, Generalizer(signature))
        inner = _dotted_names(block.scope, classes)
        classes[name] = block
        for group, call in zip(alike, calls, strict=True):
            scope = _replaced(scope, group, _block_line(scope, group, call, inner))
    return Blocks(scope=scope, classes=classes)


def _best(scope: Scope, classes: Mapping[str, BlockClass]) -> list[Group]:
    """The groups of one form that are most worth a class, or none."""
    by_form: dict[object, list[Group]] = {}
    for group in groups(scope):
        alike = by_form.setdefault(_group_form(group), [])
        if not any(_overlap(group, other) for other in alike):
            alike.append(group)
    savings = [(len(alike), _saving(alike, classes), alike) for alike in by_form.values()]
    worth = [entry for entry in savings if entry[1] >= _LEAST_SAVING]
    return max(worth, key=lambda entry: entry[:2], default=(0, 0, []))[2]


def _saving(alike: list[Group], classes: Mapping[str, BlockClass]) -> int:
    """Statements that a class saves; a chain of blocks is one statement as it is."""
    if len(alike) < 2:
        return 0
    return (len(alike) - 1) * (len(entries(_scope(alike[0]), classes)) - 1)


def _scope(group: Group) -> Scope:
    return Scope(inputs=group.inputs, lines=group.lines, outputs=(group.output,))


def _overlap(one: Group, other: Group) -> bool:
    return not {line.makes for line in one.lines}.isdisjoint(line.makes for line in other.lines)


def _group_form(group: Group) -> object:
    """Equal for groups that are one block with different values in it."""
    numbers = {number: -1 - i for i, number in enumerate(group.inputs)}
    numbers |= {line.makes: i for i, line in enumerate(group.lines)}
    modules: dict[str, int] = {}
    return numbers[group.output], tuple(
        (
            tuple(numbers[number] for number in line.takes),
            _lowered_form(line.lowered),
            tuple(modules.setdefault(module, len(modules)) for module, _ in line.modules),
        )
        for line in group.lines
    )


def _lowered_form(lowered: Lowered) -> object:
    match lowered:
        case Module(make):
            return ("module", form(make))
        case Function(call):
            return ("function", call)
        case Infix(symbol):
            return ("infix", symbol)


def _class_name(alike: list[Group], taken: set[str]) -> str:
    """After what is in it where that is a short chain, else after the path's last word."""
    lines = alike[0].lines
    words = [snake(line.op) for line in lines]
    if len(lines) > 4 or any(isinstance(line.lowered, Infix) for line in lines):
        words = [_common_word([group.path for group in alike])]
    name = "".join(
        part[0].upper() + part[1:] for part in re.findall(r"[A-Za-z0-9]+", " ".join(words))
    )
    return unused(name if name[:1].isalpha() else "Block", taken, separator="")


def _common_word(paths: Sequence[str]) -> str:
    """The last part of the paths in which all agree but for numbers; empty where there is none."""
    columns = zip(*(reversed(path.split("/")) for path in paths), strict=False)
    for column in columns:
        words = {_NUMBERS.sub("", part) for part in column}
        if len(words) == 1 and words != {""}:
            return words.pop()
    return ""


def _block_class(
    name: str, alike: list[Group], generalizer: Generalizer
) -> tuple[BlockClass, list[Construct]]:
    """The class of groups of one form, and the call that makes each of them."""
    general = generalizer.run([_makes(group) for group in alike])
    calls = iter(general.calls)
    first = alike[0]
    lines = []
    for index, line in enumerate(first.lines):
        shapes = {group.lines[index].shapes for group in alike}
        lines.append(
            replace(
                line,
                lowered=Module(next(calls)) if line.has_module else line.lowered,
                shapes=line.shapes if len(shapes) == 1 else None,
                path=line.path.removeprefix(first.path).strip("/"),
            )
        )
    block = BlockClass(
        name=name,
        parameters=general.parameters,
        scope=replace(_scope(first), lines=tuple(lines)),
        places=tuple(group.path for group in alike),
    )
    return block, [Construct(name, values) for values in general.values]


def _makes(group: Group) -> list[Construct]:
    return [line.lowered.make for line in group.lines if isinstance(line.lowered, Module)]


def _dotted_names(scope: Scope, classes: Mapping[str, BlockClass]) -> list[str]:
    """The name below the block of each line's module, empty for functions."""
    names = {
        line.makes: entry.dotted(line)
        for entry in entries(scope, classes)
        if entry.attribute
        for line in entry.lines
    }
    return [names.get(line.makes, "") for line in scope.lines]


def _block_line(scope: Scope, group: Group, call: Construct, inner: list[str]) -> Line:
    """The call that stands for the group."""
    modules = dict(
        (module, f"{name}.{below}".strip("."))
        for line, name in zip(group.lines, inner, strict=True)
        for module, below in line.modules
    )
    shapes = _known_shapes(scope)
    arriving = tuple(shapes[number] for number in group.inputs if number in shapes)
    return Line(
        makes=group.output,
        takes=group.inputs,
        lowered=Module(call),
        path=group.path,
        op=call.callee,
        modules=tuple(modules.items()),
        shapes=(arriving, shapes[group.output]) if group.output in shapes else None,
    )


def _known_shapes(scope: Scope) -> dict[int, Shape]:
    shapes: dict[int, Shape] = {}
    for line in scope.lines:
        if line.shapes is not None:
            arriving, leaving = line.shapes
            shapes |= dict(zip(line.takes, arriving, strict=False))
            shapes[line.makes] = leaving
    return shapes


def _replaced(scope: Scope, group: Group, call: Line) -> Scope:
    """The scope with the group's last line replaced by one call, and the others gone."""
    inside = {line.makes for line in group.lines}
    lines = [
        call if line.makes == group.output else line
        for line in scope.lines
        if line.makes == group.output or line.makes not in inside
    ]
    return replace(scope, lines=tuple(lines))
