"""Attempts that wait for a child, and which of them a free child gets.

A retry wants another worker than the one that failed it. Where only such workers are free it lets
others go first and waits a moment, then it takes what there is. No process or clock in here: times
are handed in (seconds of a monotonic clock).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence

from morphml.engines.port import Assignment
from morphml.ids import AttemptToken, ExperimentId

#: Slots that are free, longest first, and the experiments that the child of each is loading.
Free = Mapping[int, Collection[ExperimentId]]
#: Whether the child of a slot can run an attempt as it is, or must be replaced for it.
Fits = Callable[[Assignment, int], bool]
#: Whether the machine has room for an attempt beside what runs.
HasRoom = Callable[[Assignment], bool]
#: Whether a slot is not for an attempt, though it is free.
KeepsOff = Callable[[Assignment, int], bool]


class AttemptQueue:
    """Waiting attempts in the order they were submitted.

    Args:
        names: name of each slot's worker.
        patience_s: seconds that an attempt waits for a worker that it need not avoid.
    """

    def __init__(self, names: Sequence[str], patience_s: float) -> None:
        self._names = names
        self._patience_s = patience_s
        self._waiting: deque[Assignment] = deque()
        #: Until when those wait for another worker that could have had one to avoid.
        self._until: dict[AttemptToken, float] = {}

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def add(self, assignment: Assignment) -> None:
        """Put an attempt at the end."""
        self._waiting.append(assignment)

    def find(self, token: AttemptToken) -> Assignment | None:
        """The attempt of that token, if it waits; O(waiting)."""
        return next((each for each in self._waiting if each.token == token), None)

    def remove(self, assignment: Assignment) -> None:
        """Take an attempt out, wherever it stands."""
        self._waiting.remove(assignment)
        self._until.pop(assignment.token, None)

    def clear(self) -> list[Assignment]:
        """Take all out, in order."""
        taken = list(self._waiting)
        self._waiting.clear()
        self._until.clear()
        return taken

    @property
    def due(self) -> float:
        """When the first of those that let others go first stops waiting; infinity for none."""
        return min(self._until.values(), default=math.inf)

    def take(
        self,
        free: Free,
        now: float,
        fits: Fits = lambda *_: True,
        has_room: HasRoom = lambda _: True,
        keeps_off: KeepsOff = lambda *_: False,
    ) -> tuple[Assignment, int] | None:
        """The next attempt and the free slot for it; None when all that wait want another one.

        Args:
            free: at least one slot.
            now: decides who has waited long enough.
            fits: slots where it does not hold are taken only for want of others.
            has_room: attempts of which it does not hold wait on.
            keeps_off: slots of which it holds are not given.
        """
        for assignment in self._waiting:
            allowed = free
            if any(keeps_off(assignment, slot) for slot in free):
                allowed = {s: free[s] for s in free if not keeps_off(assignment, s)}
            if not allowed or not has_room(assignment):
                self._until.pop(assignment.token, None)
                continue
            slot = self._slot(assignment, allowed, now, fits)
            if slot is not None:
                self.remove(assignment)
                return assignment, slot
        return None

    def _slot(self, assignment: Assignment, free: Free, now: float, fits: Fits) -> int | None:
        """The slot free longest, of those to be had at once and not to be avoided.

        Where every child is loading something, the first will do.
        """
        avoid, experiment = assignment.avoid, assignment.experiment
        best = next(iter(free))
        if not avoid and not free[best] and fits(assignment, best):
            return best
        best = min(
            free,
            key=lambda slot: (
                any(other != experiment for other in free[slot]),
                self._names[slot] in avoid,
                not fits(assignment, slot),
                experiment in free[slot],
            ),
        )
        if self._names[best] in avoid and not self._waited(assignment, now):
            return None
        return best

    def _waited(self, assignment: Assignment, now: float) -> bool:
        """Whether the attempt has waited for another worker long enough, or there is none."""
        if all(name in assignment.avoid for name in self._names):
            return True
        return now >= self._until.setdefault(assignment.token, now + self._patience_s)
