"""Decisions: the flat, fixed list of what is open in a space, and the codes of their values.

A code is an option's index for categorical and ordinal decisions, the number itself for integer and
real ones, and None where the decision is inactive. A vector is the tuple of codes in the order of
``space.decisions``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, assert_never

from morphml.errors import SpaceError
from morphml.space.domains import same_value
from morphml.space.form import plain

#: The code of one decision; None: inactive.
Code: TypeAlias = int | float | None
#: Codes of all decisions, in the space's order.
Vector: TypeAlias = tuple[Code, ...]


class Kind(StrEnum):
    """What values a decision has, and whether they have an order."""

    CATEGORICAL = "categorical"
    ORDINAL = "ordinal"
    INTEGER = "integer"
    REAL = "real"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One open choice of a space."""

    #: Stable name, such as ``body/2/conv2d/filters``; a named decision's path is its name.
    path: str
    kind: Kind
    #: Values of categorical and ordinal decisions by code; blocks are shown by their label.
    options: tuple[object, ...] = ()
    #: Bounds of integer and real decisions, inclusive; for the others 0 and the last code.
    low: float = 0
    high: float = 0
    #: True: drawn and encoded on a logarithmic scale.
    log: bool = False
    #: Code of the starting point (a graph has a starting point of its own), which also stands for
    #: inactive decisions in `encode`.
    default: int | float = 0
    #: The name by which expressions read it, or None.
    name: str | None = None
    #: When it is active, as text; empty: always.
    condition: str = ""
    #: True: which values are allowed depends on earlier decisions.
    dependent: bool = False

    @property
    def cardinality(self) -> int | None:
        """The number of values (of all members together where `dependent`); None for reals."""
        return None if self.kind is Kind.REAL else int(self.high) - int(self.low) + 1

    def draw(self, u: float) -> int | float:
        """The code at ``u`` in [0, 1) of the decision's distribution: uniform on its scale."""
        match self.kind:
            case Kind.CATEGORICAL | Kind.ORDINAL:
                return int(u * len(self.options))
            case Kind.INTEGER:
                return self._integer_at(u)
            case Kind.REAL:
                return self._real_at(u)
            case _:
                assert_never(self.kind)

    def encode(self, code: Code) -> float:
        """The code's place in [0, 1]; the default's where the code is None."""
        value = self.default if code is None else code
        if self.low == self.high:
            return 0.0
        if self.log and self.kind is Kind.REAL:
            place = math.log(value / self.low) / math.log(self.high / self.low)
        elif self.log:
            span = math.log((self.high + 0.5) / (self.low - 0.5))
            place = math.log(value / (self.low - 0.5)) / span
        elif self.kind is Kind.REAL:
            place = (value - self.low) / (self.high - self.low)
        else:
            place = (value - self.low + 0.5) / (self.high - self.low + 1)
        return min(max(place, 0.0), 1.0)

    def decode(self, place: float) -> int | float:
        """The code at a place in [0, 1]; places outside are clipped."""
        if not math.isfinite(place):
            raise SpaceError(f"{place!r} is no place in [0, 1]", path=self.path)
        place = min(max(place, 0.0), 1.0)
        if self.kind is Kind.REAL:
            return self._real_at(place)
        if self.kind is Kind.INTEGER:
            return self._integer_at(place)
        return min(int(place * len(self.options)), len(self.options) - 1)

    def code(self, value: object) -> int | float:
        """The code of a value.

        Raises:
            SpaceError: when it is no value of this decision; the message lists those there are.
        """
        value = plain(value)
        if self.kind in (Kind.CATEGORICAL, Kind.ORDINAL):
            for code, option in enumerate(self.options):
                if same_value(value, option):
                    return code
            known = ", ".join(map(repr, self.options[:20]))
            more = ", ..." if len(self.options) > 20 else ""
            raise SpaceError(f"{value!r} is none of {known}{more}", path=self.path)
        good = (
            isinstance(value, int) if self.kind is Kind.INTEGER else isinstance(value, int | float)
        )
        if not good or isinstance(value, bool) or not self.low <= _number(value) <= self.high:
            raise SpaceError(
                f"{value!r} is not {_AN[self.kind]} from {self.low} to {self.high}", path=self.path
            )
        if self.kind is Kind.INTEGER:
            return _number(value)
        return min(max(rounded(_number(value)), self.low), self.high)

    def holds(self, code: object) -> bool:
        """True when ``code`` is one of this decision's codes (of any member's)."""
        if type(code) is int or (self.kind is Kind.REAL and type(code) is float):
            return self.low <= code <= self.high
        return False

    def _integer_at(self, u: float) -> int:
        low, high = int(self.low), int(self.high)
        if self.log:
            span = math.log((high + 0.5) / (low - 0.5))
            value = round((low - 0.5) * math.exp(u * span))
        else:
            value = low + int(u * (high - low + 1))
        return min(max(value, low), high)

    def _real_at(self, u: float) -> float:
        if self.log:
            value = self.low * math.exp(u * math.log(self.high / self.low))
        else:
            value = self.low + u * (self.high - self.low)
        return min(max(rounded(value), self.low), self.high)


def rounded(value: float) -> float:
    """``value`` to 12 significant digits: reals are kept so, and survive encode and decode."""
    return float(f"{value:.12g}")


def _number(value: object) -> int | float:
    assert isinstance(value, int | float)
    return value


_AN = {Kind.INTEGER: "a whole number", Kind.REAL: "a number"}
