"""How far a search has come, after each of its evaluations."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from morphml.search.indicators import igd_plus
from morphml.search.objectives import Objective, dominates

if TYPE_CHECKING:
    from morphml.benchmarks.problem import Measure


class Judge(Protocol):
    """Follows one search."""

    def add(self, metrics: Mapping[str, float] | None) -> float:
        """What is still missing after one more evaluation, >= 0; None is one that failed."""
        ...


class SeenRegret:
    """Regret in ``judged`` of the first member that was best by ``seen``.

    Before the first result it is infinite.
    """

    def __init__(self, seen: Measure, judged: Measure) -> None:
        self._seen = seen
        self._judged = judged
        self._best = float("inf")
        self._regret = float("inf")

    def add(self, metrics: Mapping[str, float] | None) -> float:
        """The regret after one more evaluation; the same as before where it was no better."""
        if metrics is not None:
            value = self._seen.objective.minimised(metrics[self._seen.objective.name])
            if value < self._best:
                self._best = value
                self._regret = self._judged.regret(metrics[self._judged.objective.name])
        return self._regret


class HypervolumeLoss:
    """The share of the exact front's hypervolume that two objectives have not reached, 0 to 1.

    Args:
        objectives: two.
        reference: the point that bounds the volume, in the objectives' own signs.
        exact: hypervolume of the exact front; > 0.
    """

    def __init__(
        self,
        objectives: tuple[Objective, Objective],
        reference: tuple[float, float],
        exact: float,
    ) -> None:
        self._objectives = objectives
        self._reference = signed(objectives, reference)
        self._exact = exact
        self._front: list[tuple[float, float]] = []
        self._loss = 1.0

    def add(self, metrics: Mapping[str, float] | None) -> float:
        """The loss after one more evaluation; O(size of the front)."""
        if metrics is None:
            return self._loss
        first, second = (metrics[objective.name] for objective in self._objectives)
        point = signed(self._objectives, (first, second))
        if not any(other == point or dominates(other, point) for other in self._front):
            self._front = [other for other in self._front if not dominates(point, other)]
            insort(self._front, point)
            self._loss = 1.0 - hypervolume(self._front, self._reference) / self._exact
        return self._loss


class FrontDistance:
    """IGD+ to the exact front of two objectives, each scaled by the front's width; >= 0.

    Before the first result it is infinite.

    Args:
        objectives: two.
        exact: the front's points as they are minimised; at least one.
    """

    def __init__(
        self, objectives: tuple[Objective, Objective], exact: Sequence[tuple[float, float]]
    ) -> None:
        self._objectives = objectives
        low, high = np.min(exact, axis=0), np.max(exact, axis=0)
        self._width = np.where(high > low, high - low, 1.0)
        self._exact = (np.array(exact) / self._width).tolist()
        self._front: list[tuple[float, float]] = []
        self._distance = float("inf")

    def add(self, metrics: Mapping[str, float] | None) -> float:
        """The distance after one more evaluation; O(found x exact) where the front changes."""
        if metrics is None:
            return self._distance
        first, second = (metrics[objective.name] for objective in self._objectives)
        point = signed(self._objectives, (first, second))
        if not any(other == point or dominates(other, point) for other in self._front):
            self._front = [other for other in self._front if not dominates(point, other)]
            self._front.append(point)
            self._distance = igd_plus((np.array(self._front) / self._width).tolist(), self._exact)
        return self._distance


def signed(
    objectives: tuple[Objective, Objective], values: tuple[float, float]
) -> tuple[float, float]:
    """Two values as they are minimised."""
    return objectives[0].minimised(values[0]), objectives[1].minimised(values[1])


def hypervolume(points: Iterable[tuple[float, float]], reference: tuple[float, float]) -> float:
    """The area that points (both values minimised) dominate up to ``reference``; O(n log n)."""
    area, ceiling = 0.0, reference[1]
    for first, second in sorted(points):
        if first < reference[0] and second < ceiling:
            area += (reference[0] - first) * (ceiling - second)
            ceiling = second
    return area
