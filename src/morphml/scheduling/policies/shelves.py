"""Waiting tasks by cost within steps of rank: the queue of the adaptive policy."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import TypeAlias

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.outlook import Outlook
from morphml.scheduling.placing import Blocked, Placing
from morphml.scheduling.policies.aside import Aside
from morphml.scheduling.policies.contract import Choice
from morphml.scheduling.resources import Requirements
from morphml.scheduling.stakes import Stake
from morphml.scheduling.waiting import WaitingTask

#: (cost, order of arrival with a minus, task): the last is the longest that came first.
_Entry: TypeAlias = tuple[float, int, WaitingTask]


class _Shelf:
    """Tasks of one experiment with the same needs and about the same rank, by rising cost."""

    __slots__ = ("aside", "needs", "refused_at", "stake", "tasks")

    def __init__(self, stake: Stake, needs: Requirements, placing: Placing) -> None:
        self.stake = stake
        self.needs = needs
        self.tasks: list[_Entry] = []
        self.aside: Aside[_Entry] = Aside(placing)
        #: Since when a free worker is kept waiting for shorter tasks; None while none is.
        self.refused_at: float | None = None


class Shelves:
    """The longest task that the fastest free worker should take goes first.

    Of tasks with different needs, those go first that the fewest workers could run.

    Args:
        placing: finds workers.
        outlook: says which tasks are too long for a worker; told here what waits.
        step_s: tasks whose ranks fall into one step of so many seconds are ordered by cost.

    Cost: of ``next`` O(shelves of the first steps + log tasks); moving a list of so many pointers
    comes on top.
    """

    def __init__(self, placing: Placing, outlook: Outlook, step_s: float) -> None:
        self._placing = placing
        self._outlook = outlook
        self._speeds = outlook.speeds
        self._step_s = step_s
        self._tasks: dict[AttemptToken, tuple[WaitingTask, _Entry, _Shelf]] = {}
        self._steps: dict[int, dict[tuple[ExperimentId, Requirements], _Shelf]] = {}
        self._order: list[int] = []
        self._arrivals = 0
        self._due = math.inf

    def __len__(self) -> int:
        """How many wait."""
        return len(self._tasks)

    def __iter__(self) -> Iterator[WaitingTask]:
        """All that wait, in the order in which they came."""
        return (task for task, _, _ in self._tasks.values())

    def add(self, task: WaitingTask) -> None:
        """Put a task on the shelf of its step, its experiment and its needs."""
        step = math.floor(task.rank / self._step_s)
        shelves = self._steps.get(step)
        if shelves is None:
            shelves = self._steps[step] = {}
            insort(self._order, step)
        name = (task.experiment, task.needs)
        shelf = shelves.get(name)
        if shelf is None:
            stake = self._placing.stakes.of(task.experiment)
            shelf = _Shelf(stake, task.needs, self._placing)
            shelves[name] = shelf
        self._arrivals += 1
        cost = self._speeds.usual_cost(task.experiment) if task.cost is None else task.cost
        entry = (cost, -self._arrivals, task)
        self._tasks[task.token] = (task, entry, shelf)
        self._count(task.experiment, cost)
        insort(shelf.tasks, entry)

    def remove(self, token: AttemptToken) -> WaitingTask | None:
        """Take a task out, wherever it stands."""
        found = self._tasks.pop(token, None)
        if found is None:
            return None
        task, entry, shelf = found
        self._count(task.experiment, -entry[0])
        if not shelf.aside.remove(entry):
            _take(shelf.tasks, entry)
        return task

    def next(self, now: float) -> Choice | None:
        """Of the first step with a task for a free worker, the longest."""
        self._due = math.inf
        for step in tuple(self._order):
            choice = self._next_of(self._steps[step], now)
            if choice is not None:
                return choice
            if not self._steps[step]:
                del self._steps[step]
                self._order.remove(step)
        return None

    def due(self) -> float:
        """When a task waits no longer for a better worker."""
        return min(self._due, self._placing.due())

    def _next_of(
        self, shelves: dict[tuple[ExperimentId, Requirements], _Shelf], now: float
    ) -> Choice | None:
        open_to = []
        for name, shelf in tuple(shelves.items()):
            for back in shelf.aside.call_back(now):
                insort(shelf.tasks, back)
            if shelf.tasks:
                open_to.append(shelf)
            elif not shelf.aside:
                del shelves[name]
            self._due = min(self._due, shelf.aside.until)
        while open_to:
            shelf, entry = self._longest(open_to, now)
            if entry is None:
                return None  # so has none of them
            choice = self._try(shelf, entry, now)
            if choice is not None:
                return choice
            open_to = [each for each in open_to if each.tasks and each is not shelf]
        return None

    def _longest(self, shelves: list[_Shelf], now: float) -> tuple[_Shelf, _Entry | None]:
        """Of the shelves that the fewest workers could serve, the one whose next takes longest."""
        if len(shelves) == 1:
            return shelves[0], self._pick(shelves[0], now)
        return max(((shelf, self._pick(shelf, now)) for shelf in shelves), key=self._urgency)

    def _urgency(self, found: tuple[_Shelf, _Entry | None]) -> tuple[bool, int, float]:
        shelf, entry = found
        if entry is None:
            return False, 0, 0.0
        seconds = entry[0] * self._speeds.rate(shelf.stake.experiment)
        return True, -self._placing.places(shelf.needs), seconds

    def _pick(self, shelf: _Shelf, now: float) -> _Entry | None:
        """The longest task of the shelf that the first free worker should take."""
        longest = shelf.tasks[-1]
        if shelf.needs.workers > 1:
            return longest
        ahead = self._placing.ahead(shelf.stake.experiment)
        seat = self._placing.fleet.choose(shelf.needs, ahead=ahead)
        if seat is None:
            return None
        shortest, rate = shelf.tasks[0], self._speeds.rate(shelf.stake.experiment)
        limit = self._outlook.limit(seat, shelf.needs, longest[0] * rate, now)
        most = limit.longest
        if shortest[0] < longest[0]:
            most = min(most, max(shortest[0] * rate, self._speeds.trusted(seat.name)))
        if longest[0] * rate <= most:
            return longest
        place = bisect_right(shelf.tasks, (most / rate, math.inf))
        if place:
            return shelf.tasks[place - 1]
        if shortest[0] * rate <= limit.longest:
            return shortest
        if shelf.refused_at is None:
            shelf.refused_at = now
        until = shelf.refused_at + shortest[0] * rate * limit.saved
        if now >= until:
            return shortest
        self._due = min(self._due, until)
        return None

    def _try(self, shelf: _Shelf, entry: _Entry, now: float) -> Choice | None:
        task = entry[2]
        seats = self._placing.find(task, now)
        if seats is Blocked.NO_ROOM:
            return None
        _take(shelf.tasks, entry)
        if seats is Blocked.ELSEWHERE:
            shelf.aside.put(entry, task)
            self._due = min(self._due, shelf.aside.until)
            return self._next_of_shelf(shelf, now)
        shelf.refused_at = None
        del self._tasks[task.token]
        self._count(task.experiment, -entry[0])
        return Choice(task, seats)

    def _next_of_shelf(self, shelf: _Shelf, now: float) -> Choice | None:
        entry = self._pick(shelf, now) if shelf.tasks else None
        return None if entry is None else self._try(shelf, entry, now)

    def _count(self, experiment: ExperimentId, cost: float) -> None:
        waiting = self._outlook.waiting
        waiting[experiment] = max(0.0, waiting.get(experiment, 0.0) + cost)


def _take(entries: list[_Entry], entry: _Entry) -> None:
    """Take an entry out of a sorted list. Cost: O(log entries), and moving those behind it."""
    if entries[-1] is entry:
        entries.pop()
    else:
        del entries[bisect_left(entries, entry)]
