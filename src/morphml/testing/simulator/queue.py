"""What is pending in the simulated store, claimed by rank as the SQL claim does it."""

from __future__ import annotations

from heapq import heappop, heappush


class Queue:
    """Ready tasks of several experiments, each claimed for its own; one heap by (rank, number).

    Args:
        experiments: how many there are.
    """

    def __init__(self, experiments: int) -> None:
        self._heaps: list[list[tuple[float, int]]] = [[] for _ in range(experiments)]
        #: Experiment of each task that is here now; an entry of another one is void.
        self._here: dict[int, int] = {}
        self._left = [0] * experiments

    def __len__(self) -> int:
        """Tasks that wait to be claimed."""
        return len(self._here)

    def left(self, experiment: int) -> int:
        """Tasks of an experiment that wait to be claimed."""
        return self._left[experiment]

    def put(self, task: int, rank: float, experiment: int) -> None:
        """The task may be claimed from now on."""
        if task in self._here:
            return
        self._here[task] = experiment
        self._left[experiment] += 1
        heappush(self._heaps[experiment], (rank, task))

    def take_out(self, task: int) -> None:
        """Nobody claims the task any more; nothing when it is not here."""
        experiment = self._here.pop(task, None)
        if experiment is not None:
            self._left[experiment] -= 1

    def claim(self, experiment: int) -> tuple[float, int] | None:
        """Take the first task of an experiment with its rank; None when it has none."""
        heap = self._heaps[experiment]
        while heap:
            rank, task = heappop(heap)
            if task in self._here:
                self.take_out(task)
                return rank, task
        return None
