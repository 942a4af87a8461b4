"""What a search remembers of every trial, in some 90 bytes each."""

from __future__ import annotations

import math
from array import array

from morphml.ids import PointId


class Knowledge:
    """Results by number and numbers by point, for duplicates, the best trial and the front.

    Args:
        objectives: how many values each result has.
    """

    def __init__(self, objectives: int) -> None:
        self._width = objectives
        self._values = array("d")
        self._violations = array("d")
        self._by_point: dict[int, int] = {}

    def __len__(self) -> int:
        """How many points were taken."""
        return len(self._by_point)

    def add(self, number: int, point: PointId) -> None:
        """Remember that ``number`` tries ``point``; its values are unknown yet."""
        self._by_point[_key(point)] = number
        missing = (number + 1) * self._width - len(self._values)
        self._values.extend([math.nan] * missing)
        self._violations.extend([0.0] * (number + 1 - len(self._violations)))

    def number_of(self, point: PointId) -> int | None:
        """The trial that tries ``point``, or None."""
        return self._by_point.get(_key(point))

    def tell(self, number: int, values: tuple[float, ...], violation: float) -> None:
        """Remember the result of ``number``."""
        self._violations[number] = violation
        start = number * self._width
        for offset, value in enumerate(values):
            self._values[start + offset] = value

    def values(self, number: int) -> tuple[float, ...] | None:
        """The minimised values of ``number``; None while it runs or when it failed."""
        start = number * self._width
        found = tuple(self._values[start : start + self._width])
        return None if math.isnan(found[0]) else found

    def violation(self, number: int) -> float:
        """How far ``number`` is outside the constraints; 0.0 when it keeps them or still runs."""
        return self._violations[number]


def _key(point: PointId) -> int:
    """Half of the digest: 64 bits keep the table small; 100,000 points collide with p = 3e-10."""
    return int(point[:16], 16)
