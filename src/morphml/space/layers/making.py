"""How a layer is made from its arguments, whichever operation it is."""

from __future__ import annotations

from typing import TypeAlias

from morphml.errors import SpaceError
from morphml.graph.operations import OPERATIONS
from morphml.space.blocks import Layer
from morphml.space.domains import Choice, is_block, same_value
from morphml.space.expressions import Expression, Spread
from morphml.space.form import Literal, plain

#: What an argument may be.
Argument: TypeAlias = "Expression | Literal | list[int]"

#: Kinds of layers that stand for another operation.
ALIASES = {"output": "dense"}


def make_layer(kind: str, name: str | None, **given: Argument) -> Layer:
    """The layer with checked arguments; those that are the operation's defaults are left out.

    Raises:
        SpaceError: for an argument of the wrong kind, or outside its limits.
    """
    declared = {a.name: a for a in OPERATIONS[ALIASES.get(kind, kind)].attributes}
    arguments = []
    for key, raw in given.items():
        value, attribute = plain(raw), declared[key]
        for option in value.options if isinstance(value, Choice) else (value,):
            if is_block(option):
                raise SpaceError(f"{kind}: {key} takes a value, got the block {option!r}")
            if not isinstance(option, Expression | Spread):
                try:
                    attribute.check(option)
                except SpaceError as error:
                    raise SpaceError(f"{kind}: {error}") from None
        if attribute.required or not same_value(value, attribute.default):
            arguments.append((key, value))
    return Layer(kind=kind, arguments=tuple(arguments), name=name)
