from __future__ import annotations

from collections.abc import Sequence

import pytest

from morphml.errors import ExperimentError
from morphml.ids import ExperimentId, TaskId
from morphml.scheduling.policies import (
    POLICIES,
    Fifo,
    Placement,
    Policy,
    Priority,
    Request,
    WaitingTask,
    WorkerOffer,
)
from morphml.testing.policy_contract import PolicyContract


class TestFifo(PolicyContract):
    def make(self) -> Policy:
        return Fifo()


class TestPriority(PolicyContract):
    def make(self) -> Policy:
        return Priority()


def request(at: float, priority: int = 5) -> Request:
    return Request(experiment=ExperimentId("e"), first_ready_at=at, priority=priority)


def test_registry_gives_each_policy_its_own_name() -> None:
    assert {name: make().name for name, make in POLICIES.items()} == {n: n for n in POLICIES}


def test_fifo_ignores_priority() -> None:
    assert Fifo().rank(request(1.0, 10)) < Fifo().rank(request(2.0, 1)) < Fifo().rank(request(3.0))


def test_priority_step_is_overtaken_by_one_age_step_of_waiting() -> None:
    policy = Priority(age_step_s=60.0)
    important = policy.rank(request(100.0, 6))
    assert policy.rank(request(39.0, 5)) < important < policy.rank(request(41.0, 5))


@pytest.mark.parametrize("priority", [0, 11])
def test_priority_out_of_range_is_refused_with_the_rule(priority: int) -> None:
    with pytest.raises(ExperimentError, match=f"from 1 to 10, got {priority}"):
        Priority().rank(request(0.0, priority))


class _Overbooking:
    """Breaks the contract in every way that the suite looks for."""

    name = "broken"

    def __init__(self) -> None:
        self._calls = 0.0

    def rank(self, request: Request) -> float:
        self._calls += 1.0
        return -request.first_ready_at + self._calls

    def place(
        self, window: Sequence[WaitingTask], workers: Sequence[WorkerOffer]
    ) -> list[Placement]:
        return [Placement(task=t.id, worker=workers[0].name) for t in window if workers][:1]


class _Suite(PolicyContract):
    def make(self) -> Policy:
        return _Overbooking()


@pytest.mark.parametrize("check", [name for name in dir(PolicyContract) if name.startswith("test")])
def test_contract_suite_fails_a_policy_that_breaks_it(check: str) -> None:
    with pytest.raises(AssertionError):
        getattr(_Suite(), check)()


def test_blocked_task_does_not_hold_up_the_next() -> None:
    gpu = WaitingTask(id=TaskId("gpu"), rank=0.0, needs=frozenset({"gpu"}))
    cpu = WaitingTask(id=TaskId("cpu"), rank=1.0)
    worker = WorkerOffer(name="w", slots=1, free=1)
    assert Fifo().place([gpu, cpu], [worker]) == [Placement(task=TaskId("cpu"), worker="w")]
