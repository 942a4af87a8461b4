"""What every scheduling policy must do, as tests: subclass ``PolicyContract`` and make a policy.

class TestMine(PolicyContract):
def make(self) -> Policy:
return Mine()
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cache

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.policies import Policy, Request
from morphml.scheduling.policies.ageing import AGE_STEP_S
from morphml.scheduling.scheduler import Scheduler
from morphml.scheduling.waiting import WaitingTask
from morphml.seeds import generator
from morphml.testing.policy_play import PolicyPlay, play

#: Random plays that each test looks at.
ROUNDS = 24
#: Workers of the small and of the large fleet whose decisions are compared.
FLEETS = (100, 1_000)


class PolicyContract(ABC):
    """Tests of behaviour; pytest collects them from subclasses named ``Test...``."""

    @abstractmethod
    def make(self) -> Policy:
        """A fresh policy with the settings under test."""

    def test_every_task_runs_once_and_none_is_lost(self) -> None:
        """Whatever order things happen in, each task is placed exactly once."""
        for played in self._plays():
            tokens = [placement.token for placement in played.placements]
            assert len(set(tokens)) == len(tokens)
            assert set(tokens) == played.submitted - played.withdrawn
            assert len(played.scheduler) == 0

    def test_placements_fit_what_workers_have(self) -> None:
        """Slots, shares of GPUs and labels are never promised twice."""
        for played in self._plays():
            assert played.overbooked == []

    def test_avoided_worker_is_used_only_where_no_other_can_or_after_a_wait(self) -> None:
        """A retry goes elsewhere, and waits a moment for a busy worker rather than go back."""
        for played in self._plays():
            assert played.went_back == []

    def test_nothing_waits_while_a_worker_that_fits_is_idle(self) -> None:
        """A task that cannot be placed holds up nobody behind it.

        A policy may let a task wait for a better worker, if ``due`` says until when.
        """
        for played in self._plays():
            assert played.idle == []

    def test_same_events_lead_to_the_same_placements(self) -> None:
        """Neither chance nor the order in which memory lies decides anything."""
        for number, first in enumerate(self._plays()[:6]):
            assert play(self.make(), number).placements == first.placements

    def test_rank_decides_where_it_differs_by_more_than_ageing(self) -> None:
        """With one slot, the task that is ranked far before the other runs first."""
        for gap in (AGE_STEP_S * 2, AGE_STEP_S * 9):
            for cost in (None, 1.0, 100.0):
                scheduler = Scheduler(self.make())
                _put(scheduler, "w")
                scheduler.submit(_task("late", rank=gap, cost=cost))
                scheduler.submit(_task("early", rank=0.0, cost=None if cost is None else 10.0))
                placement = scheduler.decide(0.0)
                assert placement is not None
                assert placement.token == AttemptToken("early")

    def test_nobody_waits_for_ever(self) -> None:
        """A request of lowest priority is ranked before any made late enough."""
        policy = self.make()
        old = policy.rank(_request(0.0, priority=1))
        assert old < policy.rank(_request(1e6, priority=10))

    def test_rank_depends_on_the_request_alone(self) -> None:
        """It is stored at enqueue, and other masters and a retry must find the same."""
        request = _request(12.0, priority=3)
        policy = self.make()
        first = policy.rank(request)
        policy.rank(_request(99.0, priority=9))
        assert policy.rank(request) == first == self.make().rank(request)

    def test_withdrawn_task_is_never_placed(self) -> None:
        """Cancelling is final, wherever the task stood."""
        scheduler = Scheduler(self.make())
        for number in range(20):
            scheduler.submit(_task(f"t{number}", rank=float(number)))
        gone = {AttemptToken(f"t{number}") for number in range(0, 20, 3)}
        assert all(scheduler.withdraw(token) for token in gone)
        assert not any(scheduler.withdraw(token) for token in gone)
        for number in range(20):
            _put(scheduler, f"w{number}")
        placed = set()
        while (placement := scheduler.decide(0.0)) is not None:
            placed.add(placement.token)
        assert len(placed) == 20 - len(gone)
        assert not placed & gone

    def test_decision_looks_at_few_workers_however_many_there_are(self) -> None:
        """Counted, not timed: workers looked at for a decision grow no faster than log(workers)."""
        looked = [self._looked(workers) for workers in FLEETS]
        assert looked[1] <= max(2.0, looked[0] * math.log(FLEETS[1]) / math.log(FLEETS[0]))

    def _looked(self, workers: int) -> float:
        """Workers looked at for each decision, in a fleet that is busy and changes."""
        scheduler = Scheduler(self.make())
        for number in range(workers):
            _put(scheduler, f"w{number}")
        rng = generator(0, workers, "looked")
        for number in range(workers + 400):
            scheduler.submit(_task(f"t{number}", rank=float(number % 7), cost=1.0))
        running: list[AttemptToken] = []
        while (placement := scheduler.decide(0.0)) is not None:
            running.append(placement.token)
        looked, decisions = scheduler.fleet.looked, scheduler.decisions
        for step in range(400):
            token = running.pop(int(rng.integers(len(running))))
            scheduler.ended(token, seconds=1.0 + rng.random(), succeeded=True, now=float(step))
            while (placement := scheduler.decide(float(step))) is not None:
                running.append(placement.token)
        assert scheduler.decisions - decisions >= 300
        return (scheduler.fleet.looked - looked) / (scheduler.decisions - decisions)

    def _plays(self) -> list[PolicyPlay]:
        return _plays_of(type(self))


@cache
def _plays_of(suite: type[PolicyContract]) -> list[PolicyPlay]:
    """What five of the tests look at is played once."""
    return [play(suite().make(), number) for number in range(ROUNDS)]


def _put(scheduler: Scheduler, name: str) -> None:
    scheduler.fleet.put(name, name=name, slots=1, capabilities={}, held={})


def _task(token: str, *, rank: float, cost: float | None = None) -> WaitingTask:
    return WaitingTask(
        token=AttemptToken(token), experiment=ExperimentId("e"), rank=rank, cost=cost
    )


def _request(first_ready_at: float, *, priority: int) -> Request:
    return Request(experiment=ExperimentId("e"), first_ready_at=first_ready_at, priority=priority)
