"""Which results a model of bounded size sees: the best so far and the youngest."""

from __future__ import annotations

from collections import deque

from morphml.optimizers.pareto import best_first
from morphml.optimizers.population import Member


class BestAndYoungest:
    """Results in the order in which they came, ``size`` at most when ``taken``; keeps no others.

    Half of them are the youngest; the places left go to the best of all (with several objectives,
    the best of those that were among the best when last taken, and of what came since).

    Args:
        size: >= 2.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._count = 0
        #: Results with their places in the order of all.
        self._young: deque[tuple[int, Member]] = deque(maxlen=size - size // 2)
        self._best: list[tuple[int, Member]] = []
        self._fresh: list[tuple[int, Member]] = []

    def add(self, member: Member) -> None:
        """Remember a result; O(1)."""
        row = self._count, member
        self._count += 1
        self._young.append(row)
        self._fresh.append(row)

    def take(self) -> list[Member]:
        """Those to be seen now, oldest first; ranks those kept and those added since."""
        pool = self._best + self._fresh
        order = best_first([member.result for _, member in pool])
        self._best = [pool[place] for place in order[: self._size]]
        self._fresh = []
        chosen = dict(self._young)
        for place, member in self._best:
            if len(chosen) == self._size:
                break
            chosen.setdefault(place, member)
        return [chosen[place] for place in sorted(chosen)]
