"""The scheduler: what was claimed goes to workers, one decision at a time.

Pure: the hub drives it for real, the simulator under a virtual clock. Times are seconds of any
clock that never goes back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from morphml.errors import SchedulingError
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.fleet import Fleet
from morphml.scheduling.placing import Doubts, Placing, PlacingRule
from morphml.scheduling.policies import create_policy
from morphml.scheduling.policies.contract import Ended, Left, Placed, Policy
from morphml.scheduling.seat import Seat
from morphml.scheduling.stakes import Stakes
from morphml.scheduling.waiting import WaitingTask


@dataclass(frozen=True, slots=True)
class Placement:
    """A task and the workers that it is sent to."""

    task: WaitingTask
    #: Ids; one, or as many as the task's gang has.
    workers: tuple[str, ...]

    @property
    def token(self) -> AttemptToken:
        """The task's."""
        return self.task.token

    @property
    def worker(self) -> str:
        """The first of them."""
        return self.workers[0]


@dataclass(slots=True)
class _Lying:
    """A task that lies at workers."""

    task: WaitingTask
    seats: tuple[Seat, ...]


_DEFAULT_RULE = PlacingRule()


class Scheduler:
    """Decides which waiting task goes to which worker.

    Args:
        policy: orders tasks and workers; it belongs to this scheduler alone.
        rule: times, and what may be queued at workers where the policy does not say.
    """

    def __init__(self, policy: Policy, rule: PlacingRule = _DEFAULT_RULE) -> None:
        if policy.ahead is not None:
            rule = replace(rule, ahead=policy.ahead)
        self.policy = policy
        #: All workers. What lies on them by decisions made here is kept up by this class.
        self.fleet = Fleet(policy.key, rule.ahead)
        #: All experiments.
        self.stakes = Stakes()
        self._placing = Placing(self.fleet, self.stakes, rule)
        self._queue = policy.queue(self._placing)
        self._waiting: set[AttemptToken] = set()
        self._lying: dict[AttemptToken, _Lying] = {}
        #: Decisions that placed a task.
        self.decisions = 0

    # --- what waits ------------------------------------------------------------------------------

    def submit(self, task: WaitingTask) -> None:
        """A task was claimed and waits.

        Raises:
            SchedulingError: when a task of that token waits or lies at a worker.
        """
        if task.token in self._waiting or task.token in self._lying:
            raise SchedulingError(
                f"attempt {task.token[:8]} of experiment {task.experiment}: it was submitted before"
            )
        self._waiting.add(task.token)
        self.stakes.of(task.experiment).waiting += 1
        self._queue.add(task)

    def withdraw(self, token: AttemptToken) -> bool:
        """The task waits no more; whether it did."""
        if token not in self._waiting:
            return False
        task = self._queue.remove(token)
        assert task is not None
        self._no_more(task)
        return True

    def decide(self, now: float) -> Placement | None:
        """The next placement, which is carried out at once; None when nothing fits now.

        Call it until it gives None, after whatever happened, and at ``due``.
        """
        choice = self._queue.next(now) if self._waiting else None
        if choice is None:
            return None
        task, seats = choice.task, choice.seats
        self._no_more(task)
        self._lying[task.token] = _Lying(task, seats)
        self.decisions += 1
        self.stakes.of(task.experiment).used += len(seats)
        needs = task.needs.one_at_a_time
        for seat in seats:
            if task.affinity:
                self.fleet.locality.learn(seat.id, task.affinity)
            self.policy.observe(Placed(task, seat, now))
            self.fleet.take(seat.id, task.token, needs)
        return Placement(task, tuple(seat.id for seat in seats))

    def due(self) -> float:
        """When ``decide`` may place something though nothing happens before; infinity for never."""
        return self._queue.due() if self._waiting else math.inf

    def waiting(self) -> Iterator[WaitingTask]:
        """All that wait, in any order."""
        return iter(self._queue)

    def __len__(self) -> int:
        """How many wait."""
        return len(self._queue)

    # --- what lies at workers --------------------------------------------------------------------

    def adopt(self, task: WaitingTask, worker: str, now: float) -> None:
        """The task lies at that worker, though that was not decided here.

        Raises:
            SchedulingError: when the task waits or lies somewhere.
        """
        if task.token in self._waiting or task.token in self._lying:
            raise SchedulingError(f"attempt {task.token[:8]}: it is known here")
        seat = self.fleet.get(worker)
        seats = () if seat is None else (seat,)
        self._lying[task.token] = _Lying(task, seats)
        self.stakes.of(task.experiment).used += len(seats)
        for each in seats:
            self.policy.observe(Placed(task, each, now))
            self.fleet.take(each.id, task.token, task.needs)

    def ended(self, token: AttemptToken, *, seconds: float, succeeded: bool, now: float) -> None:
        """A task ended by its own doing; an unknown one is ignored.

        Args:
            token: of the task.
            seconds: how long it ran.
            succeeded: whether it gave a result.
            now: see ``decide``.
        """
        lying = self._lying.pop(token, None)
        if lying is None:
            return
        stake = self.stakes.of(lying.task.experiment)
        if succeeded:  # failures are fast: a broken worker is to get nothing ahead for them
            stake.learn(seconds)
        stake.used -= len(lying.seats)
        for seat in lying.seats:
            self.policy.observe(Ended(lying.task, seat, seconds, succeeded, now))
            self.fleet.give_back(seat.id, token)

    def give_back(self, token: AttemptToken) -> None:
        """A task lies at its workers no more, and nobody knows how it went; unknown is ignored."""
        lying = self._lying.pop(token, None)
        if lying is None:
            return
        self.stakes.of(lying.task.experiment).used -= len(lying.seats)
        for seat in lying.seats:
            self.policy.observe(Left(lying.task, seat))
            self.fleet.give_back(seat.id, token)

    def where(self, token: AttemptToken) -> tuple[str, ...]:
        """The workers at which the task lies; none while it waits, or when it is unknown."""
        lying = self._lying.get(token)
        return () if lying is None else tuple(seat.id for seat in lying.seats)

    # --- what is known ---------------------------------------------------------------------------

    def share(self, experiment: ExperimentId, slots: int) -> None:
        """So many slots the experiment may use now; decides only who goes first."""
        self.stakes.of(experiment).share = slots

    def expect(self, experiment: ExperimentId, more: int | None) -> None:
        """So many tasks the experiment will still bring; None when nobody knows.

        A policy may keep the last tasks for faster workers, and must know which are the last.
        """
        self.stakes.of(experiment).more = more

    def ahead(self, experiment: ExperimentId) -> float:
        """Share of its slots for which tasks of the experiment may be queued at a worker."""
        return self._placing.ahead(experiment)

    def heed(self, doubts: Doubts) -> None:
        """Keep retries from workers that may be broken, as far as others could run them."""
        self._placing.doubts = doubts

    def _no_more(self, task: WaitingTask) -> None:
        self._waiting.discard(task.token)
        self._placing.forget(task)
        self.stakes.of(task.experiment).waiting -= 1


def create_scheduler(name: str, rule: PlacingRule = _DEFAULT_RULE, **settings: float) -> Scheduler:
    """A scheduler without workers and tasks.

    Args:
        name: of the policy; see ``policy_names``.
        rule: times, and what may be queued at workers.
        settings: of the policy, by name.

    Raises:
        SchedulingError: an unknown name or setting, with the nearest one; a value out of range.

    >>> scheduler = create_scheduler("load_balancing")
    >>> _ = scheduler.fleet.put("a", name="box", slots=2, capabilities={}, held={})
    >>> scheduler.decide(now=0.0) is None
    True
    """
    return Scheduler(create_policy(name, **settings), rule)
