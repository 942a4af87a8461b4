"""Fills free slots: first with what waits in the store, then with new proposals."""

from __future__ import annotations

import orjson

from morphml.clock import Clock
from morphml.ids import ExperimentId, SessionId, TaskId, new_token, task_id
from morphml.master.artifacts import RunArtifacts
from morphml.master.assigning import Assigner
from morphml.master.batch import Batch
from morphml.master.flights import Flight, Flights
from morphml.master.ranking import Ranking
from morphml.search.changes import ClaimedTask, Lease, NewTask
from morphml.search.machine import Ended, Reused, SearchMachine, Taken

#: Seconds for which a task that was made for other masters is left to them.
OTHERS_FIRST_S = 1.0


class Dispatcher:
    """Makes assignments for one experiment.

    Args:
        machine: asked for new trials.
        flights: attempts in the air; new ones are added.
        artifacts: where checkpoints lie.
        clock: hour of new tasks.
        experiment: id in the store.
        session: holder of the leases.
    """

    def __init__(
        self,
        machine: SearchMachine,
        flights: Flights,
        artifacts: RunArtifacts,
        clock: Clock,
        experiment: ExperimentId,
        session: SessionId,
    ) -> None:
        self._machine = machine
        self._flights = flights
        self._assigner = Assigner(machine.spec, experiment, artifacts.folder)
        self._clock = clock
        self._experiment = experiment
        self._session = session
        self._rank = Ranking(experiment, machine.spec.priority)

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
            to_epoch=spec.max_epochs,
            requirements=spec.resources,
            rank=self._rank(now),
            ready_at=now,
            lease=Lease(token=token, session=self._session) if here else None,
        )
        batch.tasks.append(task)
        if here:
            flight = Flight(token, task.id, taken.number, 0, task.to_epoch)
            self._send(flight, taken.architecture.vector, batch)
        else:
            self._flights.wait(task.id, now + OTHERS_FIRST_S)
        return taken

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
        self._send(flight, tuple(orjson.loads(claimed.vector)), batch)

    def _send(self, flight: Flight, vector: tuple[int | float | None, ...], batch: Batch) -> None:
        self._flights.add(flight)
        batch.assignments.append(
            self._assigner.assignment(
                flight,
                vector,
                reported_step=self._machine.reported.get(flight.number),
                avoid=self._avoid(flight.task),
            )
        )

    def _avoid(self, task: TaskId) -> tuple[str, ...]:
        workers = (str(failure["worker"]) for failure in self._flights.failures.get(task, ()))
        return tuple(worker for worker in workers if worker)
