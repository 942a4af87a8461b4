"""What must hold after every event of a run, whatever went wrong before."""

from __future__ import annotations

from collections import Counter

from morphml.scheduling.seat import Seat, is_avoided
from morphml.scheduling.task_events import TaskState
from morphml.scheduling.waiting import WaitingTask
from morphml.testing.simulator.cluster import Cluster
from morphml.testing.simulator.crew import node_of
from morphml.testing.simulator.desk import Desk

_LIVE = (TaskState.LEASED, TaskState.RUNNING)
#: A task may be kept from an idle worker so many times the longest task, for a faster one.
PATIENCE = 4.0


class Invariants:
    """Looks everything over. Cost: O(tasks + workers) for each look; for small runs.

    Args:
        desk: the master.
        cluster: the machines.
        patience_s: a task may be kept so long from an idle worker that could run it.
    """

    def __init__(self, desk: Desk, cluster: Cluster, patience_s: float) -> None:
        self._desk = desk
        self._cluster = cluster
        self._patience_s = patience_s
        #: Since when each task waits though a worker that could run it has nothing to do.
        self._since: dict[str, float] = {}

    def check(self, now: float) -> None:
        """Raises AssertionError with what does not hold."""
        self._one_live_lease()
        self._counts_add_up()
        self._slots_hold_what_fits()
        self._nobody_waits_beside_an_idle_worker(now)

    def _one_live_lease(self) -> None:
        """The workers' machines hold at most one attempt of each task, the one it names."""
        desk = self._desk
        live: dict[int, set[str]] = {}
        for worker in desk.crew.workers.values():
            for token in worker.attempts:
                live.setdefault(self._cluster.flights[int(token)].task, set()).add(token)
        for number, task in enumerate(desk.tasks):
            tokens = live.get(number, set())
            assert len(tokens) <= 1, f"{task.id} has several live attempts: {sorted(tokens)}"
            assert desk.records.stored[number] <= 1, f"a result of {task.id} was stored twice"
            if task.state in _LIVE:
                assert tokens == {task.token}, f"{task.id}: {tokens} live, names {task.token}"
            else:
                assert not tokens, f"{task.id} is {task.state} and {sorted(tokens)} live"

    def _counts_add_up(self) -> None:
        """Each task is in one place, and what is counted is what there is."""
        desk, records = self._desk, self._desk.records
        states = Counter(task.state for task in desk.tasks)
        assert states[TaskState.SUCCEEDED] == records.succeeded == sum(records.stored)
        assert states[TaskState.FAILED] + states[TaskState.DEAD] == records.given_up
        pending = {n for n, task in enumerate(desk.tasks) if task.state is TaskState.PENDING}
        assert desk.claims.claimed.keys() <= pending, "a claimed task is not pending"
        assert len(desk.claims.claimed) == len(desk.scheduler)

    def _slots_hold_what_fits(self) -> None:
        for node in self._cluster.nodes:
            assert len(node.running) <= node.kind.slots, f"node {node.number} runs too much"
            assert node.alive or not node.running, f"node {node.number} is dead and runs something"
        for seat in self._desk.scheduler.fleet:
            worker = self._desk.crew.workers[node_of(seat.id)]
            assert seat.holdings.held == worker.attempts, f"{seat.id}: fleet and machine"

    def _nobody_waits_beside_an_idle_worker(self, now: float) -> None:
        """Beyond a bounded time: some policies keep the last tasks for faster workers."""
        waiting = set()
        for task in self._desk.scheduler.waiting():
            if task.needs.workers == 1 and self._idle_for(task):
                waiting.add(task.token)
                since = self._since.setdefault(task.token, now)
                assert now - since <= self._patience_s, (
                    f"task {task.token} waits since {since} s beside an idle worker, now {now} s"
                )
        for token in self._since.keys() - waiting:
            del self._since[token]

    def _idle_for(self, task: WaitingTask) -> bool:
        def could_go_there(seat: Seat) -> bool:
            return (
                seat.free > 0
                and seat.kept_for is None
                and seat.holdings.fits(task.needs)
                and not is_avoided(seat.name, task.avoid)
            )

        return any(could_go_there(seat) for seat in self._desk.scheduler.fleet)
