"""Tasks that run at several workers at once, or not at all.

A gang takes nothing until all its workers have room. Where one has waited for long, workers are
kept for the first gang with its needs: they are sent nothing else until they are free together.
Workers are kept for one set of needs at a time, so gangs never wait for each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from heapq import nsmallest

from morphml.scheduling.fleet import Fleet
from morphml.scheduling.resources import Requirements
from morphml.scheduling.seat import Seat, is_avoided
from morphml.scheduling.waiting import WaitingTask


class Gangs:
    """Finds workers for gangs.

    Args:
        fleet: all workers.
        after_s: seconds that a gang waits before workers are kept for it.
    """

    def __init__(self, fleet: Fleet, after_s: float) -> None:
        self._fleet = fleet
        self._after_s = after_s
        #: Since when gangs with such needs wait that found too few workers.
        self._since: dict[Requirements, float] = {}
        #: The needs that workers are kept for.
        self._keeper: Requirements | None = None
        self._kept: list[Seat] = []

    def find(self, task: WaitingTask, now: float) -> tuple[Seat, ...]:
        """So many workers as the gang needs, or none. Cost: O(gang x log workers)."""
        count, needs = task.needs.workers, task.needs.one_at_a_time
        kept = self._kept if self._keeper == task.needs else ()
        seats = self._fleet.several(needs, count, kept, task.avoid)
        if not seats:
            waited = now - self._since.setdefault(task.needs, now) >= self._after_s
            if waited and self._keeper in (None, task.needs):
                self._keep(task, now)
        return tuple(seats)

    def due(self) -> float:
        """When workers are to be kept for a gang that waits; infinity where that is done."""
        if self._keeper is not None or not self._since:
            return math.inf
        return min(self._since.values()) + self._after_s

    def forget(self, task: WaitingTask) -> None:
        """The gang waits no more."""
        self._since.pop(task.needs, None)
        if self._keeper == task.needs:
            self._let_go(self._kept)
            self._keeper, self._kept = None, []

    def _keep(self, task: WaitingTask, now: float) -> None:
        """Keep as many workers as it needs, the emptiest ones. O(workers) when one is missing."""
        count, needs = task.needs.workers, task.needs.one_at_a_time
        closed = [seat for seat in self._kept if not seat.open]
        self._let_go(closed)
        self._kept = [seat for seat in self._kept if seat.open]
        if len(self._kept) >= count:
            return
        able = [
            seat
            for seat in self._fleet
            if seat.open and seat.kept_for is None and seat.holdings.could(needs)
        ]
        if len(able) + len(self._kept) < count:  # it can never run as things are
            self._let_go(self._kept)
            self._keeper, self._kept = None, []
            self._since[task.needs] = now
            return
        self._keeper = task.needs
        missing = count - len(self._kept)
        for seat in nsmallest(missing, able, key=lambda s: self._order(s, task)):
            self._fleet.keep(seat.id, task.needs)
            self._kept.append(seat)

    def _order(self, seat: Seat, task: WaitingTask) -> tuple[bool, float, int]:
        return is_avoided(seat.name, task.avoid), seat.share, seat.joined

    def _let_go(self, seats: Iterable[Seat]) -> None:
        for seat in seats:
            self._fleet.keep(seat.id, None)
