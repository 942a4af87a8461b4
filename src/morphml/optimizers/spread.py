"""How far results lie apart: the unit in which an optimizer may call one of them much worse."""

from __future__ import annotations

import math
from collections.abc import Sequence


class Spread:
    """Running mean and variance of each objective (Welford, 1962)."""

    def __init__(self) -> None:
        #: Results so far.
        self.count = 0
        self._means: list[float] = []
        self._squares: list[float] = []

    def add(self, values: Sequence[float]) -> None:
        """Take a result in; O(objectives)."""
        if not self._means:
            self._means = [0.0] * len(values)
            self._squares = [0.0] * len(values)
        self.count += 1
        for place, value in enumerate(values):
            off = value - self._means[place]
            self._means[place] += off / self.count
            self._squares[place] += off * (value - self._means[place])

    def distance(self, values: Sequence[float], others: Sequence[float]) -> float:
        """Mean over the objectives of (value - other) in standard deviations; 0 while all agree."""
        total = 0.0
        for place, (value, other) in enumerate(zip(values, others, strict=True)):
            deviation = math.sqrt(self._squares[place] / self.count)
            if deviation > 0:
                total += (value - other) / deviation
        return total / len(self._means)
