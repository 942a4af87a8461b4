"""Compiled values: how an argument is read from the codes of a member."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from morphml.errors import SpaceError
from morphml.space.blocks import Block
from morphml.space.domains import Choice, Domain, Integer, OptionalBlock
from morphml.space.expressions import (
    Arithmetic,
    Call,
    Channels,
    Comparison,
    Expression,
    Logic,
    Ref,
    Spread,
    evaluate,
)
from morphml.space.guards import Codes

#: The value for (codes, channels at the place).
Getter: TypeAlias = Callable[[Codes, int | None], object]

#: So many combinations of values are tried to find what an expression can be.
COMBINATIONS = 20_000


@dataclass(frozen=True, slots=True)
class Value:
    """An argument: the decisions it reads, and how to get it."""

    reads: tuple[int, ...]
    of: Getter
    #: True: neither codes nor channels matter.
    constant: bool = False


def constant(value: object) -> Value:
    """The value that is always ``value``."""
    return Value((), lambda _codes, _channels: value, constant=True)


def combined(
    expression: object, named: Mapping[str, Value], indices: Mapping[str, int] | None = None
) -> Value:
    """The value of an expression whose names are all in ``named``.

    Args:
        expression: what to compute.
        named: values by name.
        indices: in conditions, the decisions' indices by name: inactive ones then read as None
            (and make comparisons false) instead of as their default.
    """
    names = names_read(expression)
    reads = tuple(dict.fromkeys(i for name in names for i in named[name].reads))
    getters = [(name, named[name].of) for name in names]
    needs_channels = reads_channels(expression)

    def get(codes: Codes, channels: int | None) -> object:
        environment = {
            name: None
            if indices is not None and codes[indices[name]] is None
            else read(codes, channels)
            for name, read in getters
        }
        if needs_channels:
            environment["channels()"] = channels
        return evaluate(expression, environment)

    return Value(reads, get)


def operands(value: object) -> tuple[object, ...]:
    """The direct parts of an expression; () for leaves."""
    match value:
        case Arithmetic() | Comparison():
            return (value.left, value.right)
        case Logic():
            return value.operands
        case Call():
            return value.arguments
        case Spread():
            return (value.of,)
        case _:
            return ()


def leaves(value: object) -> Iterator[object]:
    """The decisions, references and plain values that an expression is made of, left to right."""
    parts = operands(value)
    if not parts:
        yield value
    for part in parts:
        yield from leaves(part)


def names_read(expression: object) -> tuple[str, ...]:
    """Names of the decisions that an expression reads, in order, each once.

    Raises:
        SpaceError: when an unnamed decision, or a block, is part of it.
    """
    names: dict[str, None] = {}
    for leaf in leaves(expression):
        if isinstance(leaf, Ref):
            names[leaf.name] = None
        elif isinstance(leaf, Domain):
            if leaf.name is None:
                raise SpaceError(f"{leaf!r} needs a name= to be part of {expression!r}")
            names[leaf.name] = None
        elif isinstance(leaf, Block):
            raise SpaceError(f"the block {leaf!r} cannot be part of an expression")
    return tuple(names)


def reads_channels(expression: object) -> bool:
    """True when ``channels()`` is part of the expression."""
    return any(isinstance(leaf, Channels) for leaf in leaves(expression))


def environments(
    expression: object, possible: Mapping[str, tuple[object, ...]]
) -> Iterator[dict[str, object]]:
    """Every combination of the values that an expression's names can have.

    Raises:
        SpaceError: when a name has no finite list of values, or there are too many combinations.
    """
    names = names_read(expression)
    if reads_channels(expression):
        raise SpaceError(f"channels() is not known before a member is built, in {expression!r}")
    total = 1
    for name in names:
        total *= max(1, len(possible[name]))
        if not possible[name] or total > COMBINATIONS:
            raise SpaceError(
                f"{expression!r} has too many possible values to list them (more than "
                f"{COMBINATIONS}, or a real number): use coarser choices"
            )
    for values in itertools.product(*(possible[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def possible_values(
    expression: object, possible: Mapping[str, tuple[object, ...]]
) -> tuple[object, ...]:
    """All values that an expression can have, each once, in order of first appearance."""
    if not isinstance(expression, Expression):
        return (expression,)
    seen: dict[object, None] = {}
    for environment in environments(expression, possible):
        result = evaluate(expression, environment)
        for value in result if isinstance(result, tuple) else (result,):
            seen[value] = None
    return tuple(seen)


def named_domains(value: object) -> Iterator[Domain]:
    """The decisions with a name inside ``value``; those that only conditions read are left out."""
    if isinstance(value, Domain):
        if value.name is not None:
            yield value
        if isinstance(value, OptionalBlock):
            yield from named_domains(value.block)
        yield from named_domains(value.options if isinstance(value, Choice) else _bounds(value))
    elif isinstance(value, Expression | Spread):
        yield from named_domains(operands(value))
    elif isinstance(value, Mapping):
        yield from named_domains(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from named_domains(item)
    elif isinstance(value, Block):
        for field in value.__dataclass_fields__:  # type: ignore[attr-defined]  # all blocks are
            yield from named_domains(getattr(value, field))


def _bounds(value: Domain) -> tuple[object, ...]:
    return (value.low, value.high) if isinstance(value, Integer) else ()
