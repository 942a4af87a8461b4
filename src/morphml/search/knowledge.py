"""What a search remembers of every trial, in some 90 bytes each."""

from __future__ import annotations

import math
from array import array

from morphml.ids import PointId


class Knowledge:
    """Results by number and numbers by point, for duplicates, the best trial and the front.

    A point has a place: the number of the trial that tries it, or -1, -2, ... where its result
    comes from another experiment and it took no number.

    Args:
        objectives: how many values each result has.
    """

    def __init__(self, objectives: int) -> None:
        self._width = objectives
        self._values = array("d")
        self._violations = array("d")
        self._by_point: dict[int, int] = {}
        #: Values and violations of the places -1, -2, ...
        self._reused: list[tuple[tuple[float, ...], float]] = []

    def __len__(self) -> int:
        """How many points have a place."""
        return len(self._by_point)

    def add(self, number: int, point: PointId) -> None:
        """Remember that ``number`` tries ``point``; its values are unknown yet."""
        self._by_point[_key(point)] = number
        missing = (number + 1) * self._width - len(self._values)
        self._values.extend([math.nan] * missing)
        self._violations.extend([0.0] * (number + 1 - len(self._violations)))

    def add_reused(self, point: PointId, values: tuple[float, ...], violation: float) -> None:
        """Remember that another experiment knows ``point``; it takes the next place below 0."""
        self._reused.append((values, violation))
        self._by_point[_key(point)] = -len(self._reused)

    def place_of(self, point: PointId) -> int | None:
        """The place of ``point``, or None."""
        return self._by_point.get(_key(point))

    def tell(self, number: int, values: tuple[float, ...], violation: float) -> None:
        """Remember the result of ``number``."""
        self._violations[number] = violation
        start = number * self._width
        for offset, value in enumerate(values):
            self._values[start + offset] = value

    def values(self, place: int) -> tuple[float, ...] | None:
        """The minimised values at a place; None while that trial runs or when it failed."""
        if place < 0:
            return self._reused[-1 - place][0]
        start = place * self._width
        found = tuple(self._values[start : start + self._width])
        return None if math.isnan(found[0]) else found

    def violation(self, place: int) -> float:
        """How far a place is outside the constraints; 0.0 when it keeps them or still runs."""
        return self._reused[-1 - place][1] if place < 0 else self._violations[place]


def _key(point: PointId) -> int:
    """Half of the digest: 64 bits keep the table small; 100,000 points collide with p = 3e-10."""
    return int(point[:16], 16)
