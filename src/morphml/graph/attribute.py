"""Attributes of operations: their declaration, their check, and typed reading."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from morphml.errors import SpaceError
from morphml.graph.values import Value

#: A node's attributes by name.
Attrs = Mapping[str, Value]


class Kind(StrEnum):
    """What values an attribute takes."""

    WHOLE = "an integer"
    REAL = "a number"
    FLAG = "True or False"
    TEXT = "text"
    #: One integer for all axes, or one for each; equal ones are stored as a single integer.
    SIZES = "an integer or one for each axis"
    #: `SIZES`, or a word that the operation knows.
    PADDING = "an integer, one for each axis, or a known word"
    SHAPE = "a tuple of integers"
    #: Any scalar or tuple of integers: attributes of a user's operation.
    ANY = "a scalar or a tuple of integers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """The declaration of one attribute."""

    name: str
    kind: Kind
    #: Filled in where the attribute is not given; unused where `required`.
    default: Value = None
    #: Name of another attribute whose value is taken where this one is None.
    same_as: str | None = None
    #: True: has no default.
    required: bool = False
    #: Smallest value allowed (of each item of a tuple), inclusive.
    minimum: float | None = None
    #: Largest value allowed, inclusive.
    maximum: float | None = None
    #: Words allowed for `TEXT` and `PADDING`; empty: any text for `TEXT`, none for `PADDING`.
    words: tuple[str, ...] = ()

    def check(self, value: object) -> Value:
        """The value in its stored form.

        Integers given for a `REAL` become floats, lists become tuples, and equal `SIZES` become one
        integer: equal settings are stored equally.

        Raises:
            SpaceError: when the value has another type or lies outside the limits.
        """
        if value is None and not self.required and self.default is None:
            return None
        stored = _stored(self.kind, value, self.words)
        if stored is None:
            words = f" ({', '.join(map(repr, self.words))})" if self.words else ""
            raise SpaceError(f"{self.name} must be {self.kind.value}{words}, got {value!r:.80}")
        for item in stored if isinstance(stored, tuple) else (stored,):
            if isinstance(item, (int, float)) and not isinstance(item, bool):
                self._check_limits(item)
        return stored

    def _check_limits(self, value: float) -> None:
        if self.minimum is not None and value < self.minimum:
            raise SpaceError(f"{self.name} must be at least {self.minimum:g}, got {value!r}")
        if self.maximum is not None and value > self.maximum:
            raise SpaceError(f"{self.name} must be at most {self.maximum:g}, got {value!r}")


def _stored(kind: Kind, value: object, words: tuple[str, ...]) -> Value:
    """The stored form of a value that is not None, or None where its type is wrong."""
    match kind:
        case Kind.WHOLE:
            return value if type(value) is int else None
        case Kind.REAL:
            return _finite(value)
        case Kind.FLAG:
            return value if isinstance(value, bool) else None
        case Kind.TEXT:
            return value if isinstance(value, str) and (not words or value in words) else None
        case Kind.SIZES:
            return _sizes(value)
        case Kind.PADDING:
            return value if isinstance(value, str) and value in words else _sizes(value)
        case Kind.SHAPE:
            return _integers(value)
        case Kind.ANY:
            return value if isinstance(value, (bool, int, float, str)) else _integers(value)
        case _:
            assert_never(kind)


def _finite(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None


def _integers(value: object) -> tuple[int, ...] | None:
    if isinstance(value, (list, tuple)) and all(type(item) is int for item in value):
        return tuple(value)
    return None


def _sizes(value: object) -> Value:
    items = (value,) if type(value) is int else _integers(value)
    if not items:
        return None
    return items[0] if len(set(items)) == 1 else items


def whole(attrs: Attrs, name: str) -> int:
    """The integer attribute ``name``."""
    value = attrs[name]
    assert isinstance(value, int)
    return value


def real(attrs: Attrs, name: str) -> float:
    """The number attribute ``name``."""
    value = attrs[name]
    assert isinstance(value, (int, float))
    return value


def sizes(attrs: Attrs, name: str, axes: int) -> tuple[int, ...]:
    """The attribute ``name`` as one integer for each of ``axes`` axes.

    Raises:
        SpaceError: when it is a tuple of another length.
    """
    value = attrs[name]
    if isinstance(value, int):
        return (value,) * axes
    assert isinstance(value, tuple)
    if len(value) != axes:
        raise SpaceError(f"{name}={value} has {len(value)} items for {axes} spatial axes")
    return value
