"""Waiting tasks at home with workers, within steps of rank: the queue of work stealing."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import TypeAlias

from morphml.ids import AttemptToken
from morphml.scheduling.fleet import Fleet
from morphml.scheduling.placing import Blocked, Placing
from morphml.scheduling.policies.aside import Aside
from morphml.scheduling.policies.contract import Choice
from morphml.scheduling.resources import Requirements
from morphml.scheduling.seat import Seat, is_avoided
from morphml.scheduling.waiting import WaitingTask

#: (cost, order of arrival with a minus, task): the last is the longest that came first.
_Entry: TypeAlias = tuple[float, int, WaitingTask]

#: The home of tasks that no worker is known for.
_NOWHERE = ""
#: Workers that are asked in turn whether they could run a task, before it stays without a home.
_ASKED = 8


class _Pool:
    """Tasks with the same needs and about the same rank: a queue for each home, by rising cost."""

    __slots__ = ("_by_work", "_work", "aside", "needs", "queues")

    def __init__(self, needs: Requirements, placing: Placing) -> None:
        self.needs = needs
        self.queues: dict[str, list[_Entry]] = {}
        self.aside: Aside[tuple[str, _Entry]] = Aside(placing)
        #: Cost of all tasks of a home, and (that with a minus, home), void where it changed.
        self._work: dict[str, float] = {}
        self._by_work: list[tuple[float, str]] = []

    def put(self, home: str, entry: _Entry) -> None:
        queue = self.queues.get(home)
        if queue is None:
            queue = self.queues[home] = []
        insort(queue, entry)
        self._note(home, self._work.get(home, 0.0) + entry[0])

    def take(self, home: str, entry: _Entry) -> None:
        queue = self.queues[home]
        if queue[-1] is entry:
            queue.pop()
        else:
            del queue[bisect_left(queue, entry)]
        if queue:
            self._note(home, self._work[home] - entry[0])
        else:
            del self.queues[home], self._work[home]

    def longest(self) -> str:
        """The home with most work; there is one."""
        while True:
            work, home = self._by_work[0]
            if self._work.get(home) == -work:
                return home
            heappop(self._by_work)

    def _note(self, home: str, work: float) -> None:
        self._work[home] = work
        heappush(self._by_work, (-work, home))
        if len(self._by_work) > 4 * len(self._work) + 64:
            self._by_work = sorted((-work, home) for home, work in self._work.items())


class Homes:
    """A worker with room gets the longest task of its own queue, else of the queue with most work.

    Of tasks with different needs, those go first that the fewest workers could run.

    Args:
        placing: finds workers for tasks that may not go to every one.
        step_s: tasks whose ranks fall into one step of so many seconds are ordered by cost.

    Cost: of ``next`` O(different needs + log tasks + log workers).
    """

    def __init__(self, placing: Placing, step_s: float) -> None:
        self._placing = placing
        self._step_s = step_s
        self._turns = _Turns(placing.fleet)
        self._tasks: dict[AttemptToken, tuple[WaitingTask, _Entry, str, _Pool]] = {}
        self._steps: dict[int, dict[Requirements, _Pool]] = {}
        self._order: list[int] = []
        self._arrivals = 0
        self._due = math.inf

    def __len__(self) -> int:
        """How many wait."""
        return len(self._tasks)

    def __iter__(self) -> Iterator[WaitingTask]:
        """All that wait, in the order in which they came."""
        return (task for task, _, _, _ in self._tasks.values())

    def add(self, task: WaitingTask) -> None:
        """Put a task into the queue of a worker that has its data, else of the next in turn."""
        step = math.floor(task.rank / self._step_s)
        pools = self._steps.get(step)
        if pools is None:
            pools = self._steps[step] = {}
            insort(self._order, step)
        pool = pools.get(task.needs)
        if pool is None:
            pool = pools[task.needs] = _Pool(task.needs, self._placing)
        self._arrivals += 1
        entry = (1.0 if task.cost is None else task.cost, -self._arrivals, task)
        home = self._home(task)
        self._tasks[task.token] = (task, entry, home, pool)
        pool.put(home, entry)

    def remove(self, token: AttemptToken) -> WaitingTask | None:
        """Take a task out, wherever it stands."""
        found = self._tasks.pop(token, None)
        if found is None:
            return None
        task, entry, home, pool = found
        if not pool.aside.remove((home, entry)):
            pool.take(home, entry)
        return task

    def next(self, now: float) -> Choice | None:
        """The task of the first step for which a worker has room."""
        self._due = math.inf
        for step in tuple(self._order):
            pools = self._steps[step]
            for pool in self._in_order(pools):
                choice = self._next_of(pool, now)
                if choice is not None:
                    return choice
                if not pool.queues and not pool.aside:
                    del pools[pool.needs]
            if not pools:
                del self._steps[step]
                self._order.remove(step)
        return None

    def due(self) -> float:
        """When a task waits no longer for a worker that it need not avoid."""
        return min(self._due, self._placing.due())

    def _in_order(self, pools: dict[Requirements, _Pool]) -> list[_Pool]:
        """What few workers could run goes first: the others need not take these away from it."""
        if len(pools) == 1:
            return list(pools.values())
        return sorted(pools.values(), key=lambda pool: self._placing.places(pool.needs))

    def _next_of(self, pool: _Pool, now: float) -> Choice | None:
        for home, entry in pool.aside.call_back(now):
            pool.put(home, entry)
        choice: Choice | None = None
        while pool.queues and choice is None:
            found = self._pair(pool)
            if found is None:
                break
            seat, home = found
            entry = pool.queues[home][-1]
            seats = self._seats(entry[2], seat, now)
            if seats is Blocked.NO_ROOM:
                break
            pool.take(home, entry)
            if seats is Blocked.ELSEWHERE:
                pool.aside.put((home, entry), entry[2])
                continue
            del self._tasks[entry[2].token]
            choice = Choice(entry[2], seats)
        self._due = min(self._due, pool.aside.until)
        return choice

    def _pair(self, pool: _Pool) -> tuple[Seat | None, str] | None:
        """The first worker with room, and the home whose task it takes; none for a gang."""
        longest = pool.longest()
        if pool.needs.workers > 1:
            return None, longest
        fleet = self._placing.fleet
        ahead = self._placing.ahead(pool.queues[longest][-1][2].experiment)
        seat = fleet.choose(pool.needs, ahead=ahead)
        if seat is None:
            return None
        if seat.id in pool.queues:
            return seat, seat.id
        victim = fleet.get(longest)
        if victim is not None and victim.has_room(pool.needs):
            return victim, longest  # it is free itself
        return seat, longest

    def _seats(
        self, task: WaitingTask, seat: Seat | None, now: float
    ) -> tuple[Seat, ...] | Blocked:
        if seat is None or is_avoided(seat.name, task.avoid):
            return self._placing.find(task, now)
        return (seat,)

    def _home(self, task: WaitingTask) -> str:
        if task.needs.workers > 1:
            return _NOWHERE
        fleet = self._placing.fleet
        for key in task.affinity:
            for worker in reversed(list(fleet.locality.holders(key))):
                seat = fleet.get(worker)
                if seat is not None and seat.open and seat.holdings.could(task.needs):
                    return worker
        return self._turns.next(task.needs)


class _Turns:
    """Workers in turn."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._ring: list[Seat] = []
        self._seen = -1
        self._place = 0

    def next(self, needs: Requirements) -> str:
        """The next worker that could run it; nowhere when several in turn could not."""
        if self._seen != self._fleet.joined:
            self._ring, self._seen = list(self._fleet), self._fleet.joined
        for _ in range(min(_ASKED, len(self._ring))):
            self._place = (self._place + 1) % len(self._ring)
            seat = self._ring[self._place]
            if seat.open and seat.holdings.could(needs):
                return seat.id
        return _NOWHERE
