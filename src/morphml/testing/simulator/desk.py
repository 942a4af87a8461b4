"""The simulated master: it drives the machines of ``morphml.scheduling`` as a real one does.

Tasks, workers, retries and placements are decided by those machines alone. What is here carries
their commands out on the virtual cluster, as the shell of a master does on a real one.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import assert_never

from morphml.ids import AttemptToken, SessionId, TaskId
from morphml.scheduling.failures import Failure, FailureKind
from morphml.scheduling.faults import FaultToleranceManager
from morphml.scheduling.scheduler import Placement, Scheduler
from morphml.scheduling.task import Task, step
from morphml.scheduling.task_events import (
    Acknowledge,
    Adopted,
    Claimed,
    Conclude,
    Dispatch,
    Failed,
    Lost,
    Refuse,
    Requeue,
    Started,
    StopAttempt,
    StorePause,
    StoreResult,
    Succeeded,
    TaskCommand,
    TaskEvent,
    TaskState,
)
from morphml.scheduling.worker import WorkerRule
from morphml.testing.simulator.claims import Claims, number_of, token_of
from morphml.testing.simulator.cluster import Cluster, Flight, Node
from morphml.testing.simulator.crew import Crew, name_of, node_of
from morphml.testing.simulator.records import Records
from morphml.testing.simulator.scenario import Scenario
from morphml.testing.simulator.stopwatch import Stopwatch
from morphml.testing.simulator.timeline import Timeline
from morphml.testing.simulator.wards import Wards
from morphml.testing.simulator.work import Work

_ME = SessionId("master")
#: A moment later is late enough for what was due.
MOMENT_S = 1e-6


class Code(IntEnum):
    """What an entry of the event log says."""

    PLACED = 1
    BEGAN = 2
    STORED = 3
    FAILED = 4
    LOST = 5
    ADOPTED = 6
    REFUSED = 7
    GIVEN_UP = 8


class Desk:
    """One master with its store, from the first task to the last.

    Args:
        scenario: what is simulated.
        work: the tasks.
        scheduler: decides who gets what; fresh.
        cluster: the machines.
        timeline: the time.
        seed: of the retries' jitter.
    """

    def __init__(
        self,
        scenario: Scenario,
        work: Work,
        scheduler: Scheduler,
        cluster: Cluster,
        timeline: Timeline,
        seed: int,
    ) -> None:
        self._work = work
        self._cluster = cluster
        self._timeline = timeline
        faults = FaultToleranceManager()
        #: Times all that the pure scheduler and the breakers do.
        self.watch = Stopwatch()
        self.scheduler = scheduler
        self.records = Records.of(len(work.seconds))
        self.claims = Claims(scenario, work, scheduler, cluster, self.watch)
        self.crew = Crew(
            scheduler.fleet, timeline, self._lose_all, WorkerRule(), faults.workers.admits
        )
        self._wards = Wards(faults, self.crew, timeline, self.watch)
        self.tasks = [Task(id=TaskId(f"t{n}"), seed=seed) for n in range(len(work.seconds))]
        #: When one looks again in any case.
        self._comes_back_at = math.inf

    @property
    def is_done(self) -> bool:
        """Whether every task has ended."""
        return self.records.ended == len(self.tasks)

    def begin(self) -> None:
        """The experiments will be submitted when their time has come."""
        for number, load in enumerate(self._work.loads):
            self._timeline.after(load.arrives_s, self._submit, number)

    def _submit(self, experiment: int) -> None:
        for task in self.claims.submit(experiment, self._timeline.now()):
            self.records.ready_at[task] = self._timeline.monotonic()
        self.fill()

    def _ready(self, task: int) -> None:
        """A retry's pause is over."""
        if self.tasks[task].state is TaskState.PENDING and task not in self.claims.claimed:
            self.claims.put_back(task)
            self.fill()

    # --- placing ---------------------------------------------------------------------------------

    def fill(self) -> None:
        """Send what waits, as far as there is room."""
        now = self._timeline.monotonic()
        while True:
            self.claims.claim()
            placement = self.watch(self.scheduler.decide, now)
            if placement is None:
                break
            self._place(placement)
        if self.claims.claimed:
            self._come_back(self.scheduler.due())
        elif self.records.dry_at < 0 and self.claims.is_dry:
            self.records.dry_at = now

    def _come_back(self, due: float) -> None:
        """Fill again when something may be placed though nothing happens before."""
        if due < self._comes_back_at:
            self._comes_back_at = due
            seconds = max(MOMENT_S, due - self._timeline.monotonic())
            self._timeline.after(seconds, self._due, 0)

    def _due(self, _: int) -> None:
        self._comes_back_at = math.inf
        self.fill()

    def _place(self, placement: Placement) -> None:
        flight = self._cluster.flights[number_of(placement.token)]
        self.claims.placed(flight.task)
        flight.nodes = tuple(node_of(worker) for worker in placement.workers)
        for worker, node in zip(placement.workers, flight.nodes, strict=True):
            self.crew.assigned(node, placement.token)
            self._wards.sent(worker, placement.token)
        self.records.placed += 1
        self._log(Code.PLACED, flight)
        event = Claimed(token=placement.token, holder=_ME, worker=placement.workers[0])
        self._tell(flight.task, event)

    # --- what the machines say -------------------------------------------------------------------

    def joined(self, node: Node) -> None:
        """A machine announced itself for the first time."""
        self.crew.announce(node, ())
        self.crew.settle(node, {})
        self.fill()

    def came_back(self, node: Node) -> None:
        """What it has is its own again, or refused where another worker has it by now."""
        flights = [self._cluster.flights[number] for number in node.flights]
        self.crew.announce(node, tuple(token_of(flight) for flight in flights))
        taken_back: list[Flight] = []
        for flight in flights:
            token = token_of(flight)
            was_pending = self.tasks[flight.task].state is TaskState.PENDING
            if was_pending and len(flight.nodes) > 1:  # a lost gang runs again as a whole
                self.crew.released(node.number, token)
                continue
            self._tell(flight.task, Adopted(token=token, holder=_ME, worker=name_of(node.number)))
            if self.tasks[flight.task].token != token:
                self.crew.released(node.number, token)
                continue
            if was_pending:
                self.claims.withdraw(flight.task)
                taken_back.append(flight)
        # What it may have got meanwhile, in the place of what was refused, lies there as well.
        lying = sorted(self.crew.workers[node.number].attempts)
        tasks = {token: self._cluster.flights[number_of(token)].task for token in lying}
        self.crew.settle(node, {token: self.claims.needs(task) for token, task in tasks.items()})
        for flight in taken_back:
            self.records.adopted += 1
            self._log(Code.ADOPTED, flight)
            now = self._timeline.monotonic()
            self.scheduler.adopt(self.claims.waiting(flight), name_of(node.number), now)
        self.fill()

    def broke(self, node: Node) -> None:
        """A connection broke."""
        self.crew.broke(node)

    def fell_silent(self, node: Node) -> None:
        """Beats cease to come."""
        self.crew.fell_silent(node)

    def draining(self, node: Node) -> None:
        """A machine will leave soon."""
        self.crew.drain(node)

    def left(self, node: Node) -> None:
        """A machine left; what it had was preempted."""
        worker = self.crew.workers[node.number]
        for token in sorted(worker.attempts):
            flight = self._cluster.flights[number_of(token)]
            self._take_back(flight)
            self._fail(flight, FailureKind.PREEMPTED)
        self.crew.left(node)
        self._wards.left(name_of(node.number))
        self.fill()

    def started(self, flight: Flight) -> None:
        """An attempt began to run."""
        if self.records.began_at[flight.task] < 0:
            self.records.began_at[flight.task] = self._timeline.monotonic()
        self._log(Code.BEGAN, flight)
        self._tell(flight.task, Started(token=token_of(flight)))

    def ended(self, flight: Flight) -> None:
        """An attempt has its end."""
        self._release(flight)
        token = token_of(flight)
        self.watch(
            self.scheduler.ended,
            token,
            seconds=flight.ended_at - flight.started_at,
            succeeded=flight.failure is None,
            now=self._timeline.monotonic(),
        )
        if flight.failure is None:
            self._wards.worked(name_of(flight.nodes[0]), token)
            self._tell(flight.task, Succeeded(token=token))
        else:
            self._blame(flight, flight.failure)
            self._fail(flight, flight.failure)
        self._cluster.acknowledge(flight)
        self.fill()

    # --- ends of attempts ------------------------------------------------------------------------

    def _blame(self, flight: Flight, kind: FailureKind) -> None:
        worker, needs = name_of(flight.nodes[0]), self.claims.needs(flight.task)
        elsewhere = self.scheduler.fleet.could_run(needs, (worker,))
        experiment = self._work.experiments[self._work.load_of[flight.task]]
        self._wards.broke(worker, token_of(flight), kind, experiment, elsewhere=elsewhere)

    def _fail(self, flight: Flight, kind: FailureKind) -> None:
        self._log(Code.FAILED, flight)
        token = token_of(flight)
        failure = Failure(
            kind=kind,
            worker=name_of(flight.nodes[0]),
            at=self._timeline.monotonic(),
            token=token,
        )
        self._tell(flight.task, Failed(token=token, failure=failure))

    def _lose_all(self, tokens: tuple[AttemptToken, ...]) -> None:
        for token in tokens:
            flight = self._cluster.flights[number_of(token)]
            self._take_back(flight)
            if len(flight.nodes) > 1:  # the others of a gang are told to stop
                self._cluster.drop(flight)
            self.records.lost += 1
            self._log(Code.LOST, flight)
            at = self._timeline.monotonic()
            self._tell(flight.task, Lost(token=token, holder=_ME, at=at))
        self.fill()

    def _take_back(self, flight: Flight) -> None:
        """The attempt lies on no worker any more, and nobody knows how it went."""
        self._release(flight)
        token = token_of(flight)
        self.watch(self.scheduler.give_back, token)
        for node in flight.nodes:
            self._wards.withdrew(name_of(node), token)

    def _release(self, flight: Flight) -> None:
        token = token_of(flight)
        for node in flight.nodes:
            self.crew.released(node, token)

    # --- the machine of a task -------------------------------------------------------------------

    def _tell(self, task: int, event: TaskEvent) -> None:
        self.tasks[task], commands = step(self.tasks[task], event)
        for command in commands:
            self._carry_out(task, command)

    def _carry_out(self, task: int, command: TaskCommand) -> None:
        match command:
            case Dispatch():
                self._cluster.send(self._cluster.flights[number_of(command.token)])
            case StoreResult():
                flight = self._cluster.flights[number_of(command.token)]
                flight.stored = True
                self.records.store(task, self._timeline.monotonic())
                self._log(Code.STORED, flight)
            case Requeue():
                self.claims.avoid(task, command.avoid)
                pause = command.ready_at - self._timeline.monotonic()
                self._timeline.after(max(0.0, pause), self._ready, task)
            case Conclude():
                self.records.given_up += 1
                self.records.log(Code.GIVEN_UP, self._timeline.monotonic(), task, -1)
            case Refuse():
                flight = self._cluster.flights[number_of(command.token)]
                self._log(Code.REFUSED, flight)
                self._cluster.drop(flight)
            case Acknowledge():
                self._cluster.acknowledge(self._cluster.flights[number_of(command.token)])
            case StorePause() | StopAttempt():
                raise AssertionError(f"nothing pauses or cancels here, got {command}")
            case _:
                assert_never(command)

    def _log(self, code: Code, flight: Flight) -> None:
        node = flight.nodes[0] if flight.nodes else -1
        self.records.log(code, self._timeline.monotonic(), flight.task, node)
