"""Waiting tasks by rank: the queue of most policies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import TypeAlias

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.placing import Blocked, Placing
from morphml.scheduling.policies.aside import Aside
from morphml.scheduling.policies.contract import Choice
from morphml.scheduling.resources import Requirements
from morphml.scheduling.stakes import Stake
from morphml.scheduling.waiting import WaitingTask

#: (rank, order of arrival, task)
_Entry: TypeAlias = tuple[float, int, WaitingTask]
_Name: TypeAlias = tuple[ExperimentId | None, Requirements]


class _Line:
    """Tasks with the same needs, by rank: where the first finds no room, none does."""

    __slots__ = ("aside", "heap", "name", "stake")

    def __init__(self, name: _Name, stake: Stake | None, placing: Placing) -> None:
        self.name = name
        self.stake = stake
        self.heap: list[_Entry] = []
        self.aside: Aside[_Entry] = Aside(placing)


class RankedQueue:
    """The task with the smallest rank goes first; one that cannot go holds up nobody.

    Args:
        placing: finds workers.
        fair: whether the experiment that uses least of its share goes before all ranks.

    Cost: of ``next`` O(lines + log tasks), where a line is the tasks with the same needs, of one
    experiment where it is fair; and the tasks that wait for a worker not to avoid, once for each
    worker that got room.
    """

    def __init__(self, placing: Placing, *, fair: bool = False) -> None:
        self._placing = placing
        self._fair = fair
        self._tasks: dict[AttemptToken, WaitingTask] = {}
        self._lines: dict[_Name, _Line] = {}
        self._arrivals = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._tasks)

    def __iter__(self) -> Iterator[WaitingTask]:
        """All that wait, in the order in which they came."""
        return iter(self._tasks.values())

    def add(self, task: WaitingTask) -> None:
        """Put a task among those with its needs."""
        name = (task.experiment if self._fair else None, task.needs)
        line = self._lines.get(name)
        if line is None:
            stake = self._placing.stakes.of(task.experiment) if self._fair else None
            line = self._lines[name] = _Line(name, stake, self._placing)
        self._arrivals += 1
        self._tasks[task.token] = task
        heappush(line.heap, (task.rank, self._arrivals, task))

    def remove(self, token: AttemptToken) -> WaitingTask | None:
        """Take a task out; what the heaps hold of it is void."""
        return self._tasks.pop(token, None)

    def next(self, now: float) -> Choice | None:
        """The first task by rank that some worker has room for."""
        for line in self._in_order(now):
            choice = self._first_of(line, now)
            if choice is not None:
                return choice
        return None

    def due(self) -> float:
        """When the first that waits for another worker takes any, or a gang is to be served."""
        until = min((line.aside.until for line in self._lines.values()), default=math.inf)
        return min(until, self._placing.due())

    def _in_order(self, now: float) -> list[_Line]:
        """Lines that are not empty, by what goes first; those that are empty are dropped."""
        found: list[tuple[float, float, int, _Line]] = []
        for line in list(self._lines.values()):
            for entry in line.aside.call_back(now):
                heappush(line.heap, entry)
            head = self._head(line)
            if head is not None:
                load = 0.0 if line.stake is None else line.stake.load
                found.append((load, head[0], head[1], line))
            elif not line.aside:
                del self._lines[line.name]
        if len(found) > 1:
            found.sort()
        return [line for _, _, _, line in found]

    def _head(self, line: _Line) -> _Entry | None:
        heap = line.heap
        while heap:
            if self._tasks.get(heap[0][2].token) is heap[0][2]:
                return heap[0]
            heappop(heap)
        return None

    def _first_of(self, line: _Line, now: float) -> Choice | None:
        while (head := self._head(line)) is not None:
            task = head[2]
            seats = self._placing.find(task, now)
            if seats is Blocked.NO_ROOM:
                return None
            heappop(line.heap)
            if seats is Blocked.ELSEWHERE:
                line.aside.put(head, task)
                continue
            del self._tasks[task.token]
            return Choice(task, seats)
        return None
