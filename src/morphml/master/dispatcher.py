"""Fills free slots: first with what waits in the store, then with new proposals."""

from __future__ import annotations

from pathlib import Path

import orjson

from morphml.clock import Clock
from morphml.engines.port import Assignment
from morphml.ids import ExperimentId, SessionId, TaskId, new_token, task_id
from morphml.master.artifacts import RunArtifacts
from morphml.master.batch import Batch
from morphml.master.flights import Flight, Flights
from morphml.search.changes import ClaimedTask, Lease, NewTask
from morphml.search.machine import Ended, Reused, SearchMachine, Taken
from morphml.seeds import training_seed


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
        self._artifacts = artifacts
        self._clock = clock
        self._experiment = experiment
        self._session = session

    def ask(self, batch: Batch) -> Taken | Reused | Ended:
        """Ask for one new trial and put its task and assignment in ``batch``."""
        taken = self._machine.ask()
        if not isinstance(taken, Taken):
            return taken
        token = new_token()
        task = NewTask(
            id=task_id(self._experiment, taken.number, 0),
            number=taken.number,
            to_epoch=self._machine.spec.max_epochs,
            requirements=self._machine.spec.resources,
            rank=(now := self._clock.now()),
            ready_at=now,
            lease=Lease(token=token, session=self._session),
        )
        batch.tasks.append(task)
        flight = Flight(token, task.id, taken.number, 0, task.to_epoch)
        self._send(flight, taken.architecture.vector, batch)
        return taken

    def resume(self, claimed: ClaimedTask, batch: Batch) -> None:
        """Put an assignment for a task that this session has just leased in ``batch``."""
        self._flights.waiting.pop(claimed.id, None)
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
        spec = self._machine.spec
        checkpoint = self._checkpoint(flight)
        self._flights.add(flight)
        batch.assignments.append(
            Assignment(
                token=flight.token,
                experiment=self._experiment,
                number=flight.number,
                vector=vector,
                seed=training_seed(spec.seed, flight.number),
                from_epoch=flight.checkpoint.step if flight.checkpoint and checkpoint else 0,
                to_epoch=flight.to_epoch,
                reported_step=self._machine.reported.get(flight.number),
                checkpoint=checkpoint,
                checkpoint_at_end=True,
                repeats=spec.repeats,
                time_limit_s=spec.limits.time_s,
                memory_limit_bytes=spec.limits.memory_bytes,
                avoid=self._avoid(flight.task),
            )
        )

    def _checkpoint(self, flight: Flight) -> Path | None:
        if flight.checkpoint is None:
            return None
        path = self._artifacts.path(flight.checkpoint.key)
        return path if path.exists() else None

    def _avoid(self, task: TaskId) -> tuple[str, ...]:
        workers = (str(failure["worker"]) for failure in self._flights.failures.get(task, ()))
        return tuple(worker for worker in workers if worker)
