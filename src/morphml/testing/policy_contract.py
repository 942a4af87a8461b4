"""What every scheduling policy must do, as tests: subclass ``PolicyContract`` and make a policy.

class TestMine(PolicyContract):
def make(self) -> Policy:
return Mine()
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np

from morphml.ids import ExperimentId, TaskId
from morphml.scheduling.policies import (
    Placement,
    Policy,
    Request,
    WaitingTask,
    WorkerOffer,
    suitable,
)
from morphml.seeds import generator

#: Random windows that each test looks at.
ROUNDS = 100
_LABELS = ("cpu", "gpu", "ssd")


class PolicyContract(ABC):
    """Tests of behaviour; pytest collects them from subclasses named ``Test...``."""

    @abstractmethod
    def make(self) -> Policy:
        """A policy with the settings under test."""

    def test_placements_fit_free_slots_and_labels(self) -> None:
        """No slot is given twice, no task twice, none to a worker that lacks what it needs."""
        for window, workers in _situations():
            placed = self.make().place(window, workers)
            tasks = {task.id: task for task in window}
            offers = {worker.name: worker for worker in workers}
            assert len({p.task for p in placed}) == len(placed)
            load = Counter(p.worker for p in placed)
            assert all(load[name] <= offers[name].free for name in load)
            assert all(offers[p.worker].can_run(tasks[p.task]) for p in placed)

    def test_no_slot_stays_empty_that_a_left_over_task_could_use(self) -> None:
        """A task that cannot be placed holds up nobody behind it."""
        for window, workers in _situations():
            placed = self.make().place(window, workers)
            load = Counter(p.worker for p in placed)
            free = {w.name for w in workers if load[w.name] < w.free}
            left = [t for t in window if t.id not in {p.task for p in placed}]
            for task in left:
                assert not free & {w.name for w in suitable(task, workers)}

    def test_avoided_worker_is_used_only_where_no_other_can(self) -> None:
        """A retry goes elsewhere, and waits for a busy worker rather than go back."""
        for window, workers in _situations():
            tasks = {task.id: task for task in window}
            for placement in self.make().place(window, workers):
                task = tasks[placement.task]
                others = [w for w in workers if w.can_run(task) and w.name not in task.avoid]
                assert placement.worker not in task.avoid or not others

    def test_same_window_gives_same_placements_in_any_order(self) -> None:
        """Neither the order of arguments nor an earlier call changes the outcome."""
        for number, (window, workers) in enumerate(_situations()):
            rng = generator(1, number, "shuffle")
            shuffled = [window[i] for i in rng.permutation(len(window))]
            policy = self.make()
            first = policy.place(window, workers)
            assert policy.place(shuffled, workers) == first
            assert self.make().place(window, list(reversed(workers))) == first

    def test_of_two_alike_the_smaller_rank_goes_first(self) -> None:
        """With one slot, the task ranked first is the one that runs."""
        worker = WorkerOffer(name="w", slots=1, free=1)
        for low, high in ((1.0, 2.0), (-5.0, 0.0)):
            window = [WaitingTask(id=TaskId("a"), rank=high), WaitingTask(id=TaskId("b"), rank=low)]
            assert self.make().place(window, [worker]) == [Placement(task=TaskId("b"), worker="w")]

    def test_nobody_waits_for_ever(self) -> None:
        """A request of lowest priority is ranked before any made late enough."""
        policy = self.make()
        old = policy.rank(_request(0.0, priority=1))
        assert old < policy.rank(_request(1e6, priority=10))

    def test_rank_depends_on_the_request_alone(self) -> None:
        """It is stored at enqueue, and a retry must find its place again."""
        request = _request(12.0, priority=3)
        policy = self.make()
        first = policy.rank(request)
        policy.rank(_request(99.0, priority=9))
        assert policy.rank(request) == first == self.make().rank(request)


def _request(first_ready_at: float, *, priority: int) -> Request:
    return Request(experiment=ExperimentId("e"), first_ready_at=first_ready_at, priority=priority)


@cache
def _situations() -> list[tuple[Sequence[WaitingTask], Sequence[WorkerOffer]]]:
    return [_situation(generator(0, number, "window")) for number in range(ROUNDS)]


def _situation(
    rng: np.random.Generator,
) -> tuple[Sequence[WaitingTask], Sequence[WorkerOffer]]:
    workers = []
    for index in range(int(rng.integers(0, 5))):
        slots = int(rng.integers(1, 4))
        free = int(rng.integers(0, slots + 1))
        labels = _some(rng, 0.6)
        workers.append(WorkerOffer(name=f"w{index}", slots=slots, free=free, labels=labels))
    names = [worker.name for worker in workers]
    window = [
        WaitingTask(
            id=TaskId(f"t{index}"),
            rank=float(rng.integers(0, 4)),
            needs=_some(rng, 0.2),
            avoid=tuple(name for name in names if rng.random() < 0.3),
        )
        for index in range(int(rng.integers(0, 9)))
    ]
    return window, workers


def _some(rng: np.random.Generator, share: float) -> frozenset[str]:
    return frozenset(label for label in _LABELS if rng.random() < share)
