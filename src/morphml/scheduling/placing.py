"""Where one task can go now: affinity first, then the policy's order, then who is to be avoided."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.fleet import Fleet
from morphml.scheduling.gangs import Gangs
from morphml.scheduling.resources import Requirements
from morphml.scheduling.seat import Ahead, Seat, is_avoided
from morphml.scheduling.stakes import Stakes
from morphml.scheduling.waiting import WaitingTask


class Blocked(Enum):
    """Why a task cannot go anywhere now."""

    #: No worker has room for its needs: those with the same needs need not be tried.
    NO_ROOM = "no room"
    #: Only workers that it should avoid have room, and it still waits for another one.
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacingRule:
    """Times and amounts."""

    ahead: Ahead = field(default_factory=Ahead)
    #: Seconds that a retry waits for a worker other than the one that failed it.
    elsewhere_s: float = 2.0
    #: Seconds that a gang waits before workers are kept free for it.
    gang_after_s: float = 10.0


class Doubts(Protocol):
    """What is known of workers that may be broken."""

    def on_trial(self) -> Collection[str]:
        """Names of workers that are tried with one attempt: better none that failed before."""
        ...

    def doubts(self, worker: str) -> bool:
        """Whether the last attempt there failed in a way that may be its own fault; by id."""
        ...


class _Trust:
    """Nobody is broken."""

    def on_trial(self) -> Collection[str]:
        """Nobody."""
        return ()

    def doubts(self, worker: str) -> bool:
        """Never."""
        return False


class Placing:
    """Finds workers for tasks, for the queues of policies.

    Args:
        fleet: all workers.
        stakes: all experiments.
        rule: times and amounts.
    """

    def __init__(self, fleet: Fleet, stakes: Stakes, rule: PlacingRule) -> None:
        self.fleet = fleet
        self.stakes = stakes
        self._rule = rule
        #: What is known of broken workers.
        self.doubts: Doubts = _Trust()
        self._gangs = Gangs(fleet, rule.gang_after_s)
        #: Until when those wait for another worker that met one to avoid.
        self._until: dict[AttemptToken, float] = {}

    def find(self, task: WaitingTask, now: float) -> tuple[Seat, ...] | Blocked:
        """The workers that the task goes to now, or why it cannot."""
        needs = task.needs
        if needs.workers > 1:
            return self._gangs.find(task, now) or Blocked.NO_ROOM
        fleet = self.fleet
        if task.affinity and (seat := self._holder(task)) is not None:
            return (seat,)
        avoid = (*task.avoid, *self.doubts.on_trial()) if task.avoid else ()
        seat = fleet.choose(needs, avoid, ahead=self.ahead(task.experiment))
        if seat is None:
            return Blocked.NO_ROOM
        if avoid and self._waits_elsewhere(task, avoid, seat, now):
            return Blocked.ELSEWHERE
        return (seat,)

    def places(self, needs: Requirements) -> int:
        """How many could run at once on the workers that are able to: what has few goes first."""
        return self.fleet.able(needs) // needs.workers

    def ahead(self, experiment: ExperimentId) -> float:
        """Share of a worker's slots for which tasks of the experiment may be queued there."""
        return self._rule.ahead.share(self.stakes.of(experiment).mean_s)

    def _waits_elsewhere(
        self, task: WaitingTask, avoid: tuple[str, ...], seat: Seat, now: float
    ) -> bool:
        """Whether the task rather waits for another worker than go to this one."""
        if not is_avoided(seat.name, avoid):
            return False
        until = self._until.setdefault(task.token, now + self._rule.elsewhere_s)
        if now >= until:
            if not self.doubts.doubts(seat.id):
                return False
            self._until[task.token] = now + self._rule.elsewhere_s
        return self.fleet.could_run(task.needs, avoid)

    def until(self, token: AttemptToken) -> float:
        """When a task that waits for another worker takes any; 0 for one that never met one."""
        return self._until.get(token, 0.0)

    def due(self) -> float:
        """When a gang is to be looked at again; infinity for never."""
        return self._gangs.due()

    def forget(self, task: WaitingTask) -> None:
        """The task waits no more."""
        self._until.pop(task.token, None)
        if task.needs.workers > 1:
            self._gangs.forget(task)

    def _holder(self, task: WaitingTask) -> Seat | None:
        """Of the workers that have what the task reads first, the first that is free now."""
        fleet = self.fleet
        for key in task.affinity:
            seats = [
                seat
                for worker in fleet.locality.holders(key)
                if (seat := fleet.get(worker)) is not None
                and seat.has_room(task.needs)
                and not is_avoided(seat.name, task.avoid)
            ]
            if seats:
                return min(seats, key=fleet.key)
        return None
