"""The attempts in the air, as the driving master remembers them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

from morphml.ids import AttemptToken, TaskId
from morphml.master.retries import lost_attempt
from morphml.optimizers.events import JSON
from morphml.search.changes import CheckpointPointer


@dataclass(slots=True)
class Flight:
    """One attempt between its commit and its end."""

    token: AttemptToken
    task: TaskId
    number: int
    segment: int
    #: Epoch at which the segment ends.
    to_epoch: int
    #: Newest committed checkpoint, or None.
    checkpoint: CheckpointPointer | None = None
    #: A checkpoint at the very end of a segment, which is stored together with that end.
    last: CheckpointPointer | None = None
    #: The newest step whose checkpoint was told and lies nowhere here; None for none.
    missed: int | None = None
    #: Name of the worker, once it started.
    worker: str = ""
    #: Epochs at the checkpoint that it began with; None where another master handed it out.
    from_epoch: int | None = None


class WaitingTasks:
    """Tasks that wait in the store for their next attempt, and when each may be claimed.

    Cost: O(log waiting) for each change; times are Unix seconds.
    """

    def __init__(self) -> None:
        self._at: dict[TaskId, float] = {}
        #: (when, task), soonest first; an entry that is not in ``_at`` like this is void.
        self._heap: list[tuple[float, TaskId]] = []

    def __len__(self) -> int:
        """How many wait."""
        return len(self._at)

    def __contains__(self, task: TaskId) -> bool:
        """Whether the task waits."""
        return task in self._at

    def add(self, task: TaskId, at: float) -> None:
        """The task waits from now on, and may be claimed at ``at``."""
        if self._at.get(task) != at:
            self._at[task] = at
            heappush(self._heap, (at, task))

    def drop(self, task: TaskId) -> None:
        """The task waits no more; it need not have waited."""
        self._at.pop(task, None)

    def first(self) -> float | None:
        """When the first may be claimed; None when none waits."""
        heap = self._heap
        while heap and self._at.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None


class Flights:
    """All attempts in the air, by token.

    Args:
        one_at_a_time: what is lost with a process is one attempt, which may be the cause.
        die_with_us: attempts end with this process; others outlive it and find another master.
    """

    def __init__(self, *, one_at_a_time: bool = False, die_with_us: bool = False) -> None:
        self._one_at_a_time = one_at_a_time
        self.die_with_us = die_with_us
        self._by_token: dict[AttemptToken, Flight] = {}
        self._by_number: dict[int, Flight] = {}
        #: Those that another master holds.
        self._away: set[AttemptToken] = set()
        #: Failures of ended attempts at tasks that will be tried again, oldest first.
        self.failures: dict[TaskId, tuple[Mapping[str, JSON], ...]] = {}
        #: Tasks that no attempt is in the air for.
        self.waiting = WaitingTasks()
        self._not_before = 0.0

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_token)

    @property
    def here(self) -> int:
        """How many of them this master's engine runs."""
        return len(self._by_token) - len(self._away)

    def add(self, flight: Flight, *, here: bool = True) -> None:
        """Remember an attempt that was submitted here, or by another master."""
        self._by_token[flight.token] = self._by_number[flight.number] = flight
        if not here:
            self._away.add(flight.token)

    def is_here(self, token: AttemptToken) -> bool:
        """Whether this master's engine runs the attempt."""
        return token in self._by_token and token not in self._away

    def move(self, token: AttemptToken, *, here: bool) -> None:
        """The attempt's worker has gone to another master, or has come from one."""
        if here:
            self._away.discard(token)
        else:
            self._away.add(token)

    def wait(self, task: TaskId, at: float) -> None:
        """A task waits in the store from now on, and may be claimed at ``at`` (Unix seconds)."""
        self.waiting.add(task, at)
        self._not_before = min(self._not_before, at)

    def next_claim_at(self) -> float | None:
        """When the first waiting task may be claimed, or None when none waits."""
        first = self.waiting.first()
        return None if first is None else max(first, self._not_before)

    def look_again(self, at: float) -> None:
        """Tasks that are due and were not claimed may be claimed at ``at`` (Unix seconds)."""
        self._not_before = at

    def get(self, token: AttemptToken) -> Flight | None:
        """The attempt of ``token``, or None when it ended."""
        return self._by_token.get(token)

    def of_trial(self, number: int) -> Flight | None:
        """The attempt at trial ``number``, or None."""
        return self._by_number.get(number)

    def land(self, token: AttemptToken) -> Flight | None:
        """Forget an attempt that ended, and return it."""
        self._away.discard(token)
        flight = self._by_token.pop(token, None)
        if flight is not None and self._by_number.get(flight.number) is flight:
            del self._by_number[flight.number]
        return flight

    @property
    def in_the_air(self) -> Collection[AttemptToken]:
        """The tokens of all, as they are at any time."""
        return self._by_token.keys()

    def tokens(self) -> tuple[AttemptToken, ...]:
        """Tokens of all, oldest first."""
        return tuple(self._by_token)

    def remember(self, task: TaskId, failure: Mapping[str, JSON]) -> None:
        """Remember a failure of a task, for the retry rule and to avoid its worker."""
        self.failures[task] = (*self.failures.get(task, ()), failure)

    def remember_lost(self, task: TaskId, attempts: int) -> None:
        """Remember the attempts that nobody saw the end of, for the retry rule.

        Args:
            task: is claimed for its next attempt.
            attempts: how many ended so far; those that left no failure behind were lost.
        """
        while len(self.failures.get(task, ())) < attempts:
            self.remember(task, lost_attempt(alone=self._one_at_a_time))
