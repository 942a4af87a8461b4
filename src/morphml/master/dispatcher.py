"""Fills free slots: first with what waits in the store, then with new proposals."""

from __future__ import annotations

import orjson

from morphml.clock import Clock
from morphml.ids import SessionId, TaskId, new_token, task_id
from morphml.master.artifacts import RunArtifacts
from morphml.master.assigning import Assigner, Standing
from morphml.master.batch import Batch
from morphml.master.flights import Flight, Flights
from morphml.master.ranking import Ranking
from morphml.search.changes import ClaimedTask, Lease, NewTask
from morphml.search.machine import Ended, Reused, SearchMachine, Taken
from morphml.space import Architecture

#: Seconds for which a task that was made for other masters is left to them.
OTHERS_FIRST_S = 1.0


class Dispatcher:
    """Makes assignments for one experiment.

    Args:
        machine: asked for new trials.
        flights: attempts in the air; new ones are added.
        artifacts: where checkpoints lie.
        clock: hour of new tasks.
        rank: order of its tasks among others.
        session: holder of the leases.
    """

    def __init__(
        self,
        machine: SearchMachine,
        flights: Flights,
        artifacts: RunArtifacts,
        clock: Clock,
        rank: Ranking,
        session: SessionId,
    ) -> None:
        self._machine = machine
        self._flights = flights
        self._assigner = Assigner(machine.spec, rank.experiment, artifacts.find)
        self._clock = clock
        self._experiment = rank.experiment
        self._session = session
        self._rank = rank

    def ask(self, batch: Batch, *, here: bool = True) -> Taken | Reused | Ended:
        """Ask for one new trial and put its task in ``batch``.

        Args:
            batch: of the turn.
            here: whether it runs here, and so has an assignment; else any master may claim it.
        """
        taken = self._machine.ask()
        if not isinstance(taken, Taken):
            return taken
        token = new_token()
        now = self._clock.now()
        spec = self._machine.spec
        task = NewTask(
            id=task_id(self._experiment, taken.number, 0),
            number=taken.number,
            to_epoch=self._machine.segments.stage(taken.number).to_epoch,
            requirements=spec.resources,
            rank=self._rank(now),
            ready_at=now,
            lease=Lease(token=token, session=self._session) if here else None,
        )
        batch.tasks.append(task)
        if here:
            flight = Flight(token, task.id, taken.number, 0, task.to_epoch)
            self._send(flight, taken.architecture, task.rank, batch)
        else:
            self._flights.wait(task.id, now + OTHERS_FIRST_S)
        return taken

    def promote(self, batch: Batch) -> bool:
        """Put the next segment of the trial whose promotion is due in ``batch``; whether one was.

        It waits in the store like a task that is tried again: who claims it gets its checkpoint.
        """
        due = self._machine.promote()
        if due is None:
            return False
        now = self._clock.now()
        segment = self._machine.segments.stage(due.number).segment
        task = NewTask(
            id=task_id(self._experiment, due.number, segment),
            number=due.number,
            segment=segment,
            from_epoch=due.from_epoch,
            to_epoch=due.to_epoch,
            requirements=self._machine.spec.resources,
            rank=self._rank(now),
            ready_at=now,
        )
        batch.tasks.append(task)
        self._flights.wait(task.id, now)
        return True

    def resume(self, claimed: ClaimedTask, batch: Batch) -> None:
        """Put an assignment for a task that this session has just leased in ``batch``."""
        self._flights.waiting.drop(claimed.id)
        self._flights.remember_lost(claimed.id, claimed.attempts)
        flight = Flight(
            claimed.token,
            claimed.id,
            claimed.number,
            claimed.segment,
            claimed.to_epoch,
            checkpoint=claimed.checkpoint,
        )
        architecture = self._machine.space.architecture(tuple(orjson.loads(claimed.vector)))
        self._send(flight, architecture, claimed.rank, batch)

    def _send(self, flight: Flight, architecture: Architecture, rank: float, batch: Batch) -> None:
        self._flights.add(flight)
        assignment = self._assigner.assignment(
            flight,
            architecture.vector,
            Standing(rank=rank, cost=self._cost(flight, architecture)),
            reported_step=self._machine.reported.get(flight.number),
            avoid=self._avoid(flight.task),
        )
        flight.from_epoch = assignment.from_epoch
        batch.assignments.append(assignment)

    def _cost(self, flight: Flight, architecture: Architecture) -> float | None:
        """FLOPs times epochs, where the policy asks for it and there is a graph to count them."""
        if not self._rank.weighs or not architecture.space.has_graph:
            return None
        done = 0 if flight.checkpoint is None else flight.checkpoint.step
        return float(max(1, architecture.flops) * max(1, flight.to_epoch - done))

    def _avoid(self, task: TaskId) -> tuple[str, ...]:
        workers = (str(failure["worker"]) for failure in self._flights.failures.get(task, ()))
        return tuple(worker for worker in workers if worker)
