"""Masters in this process on one real store, with workers that do what a test tells them to."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.integration.engines.remote.scripted import ScriptedWorker, eventually

import morphml as mm
from morphml.engines.remote.access import ServerAccess
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.ids import ExperimentId
from morphml.master.cluster.master import Master
from morphml.master.cluster.settings import MasterSettings
from morphml.search.changes import AttemptRecord, ExperimentRecord, TaskRecord
from morphml.search.experiment import (
    Budget,
    EvaluatorReference,
    ExperimentSpec,
    ExperimentState,
    OptimizerReference,
)
from morphml.search.objectives import Direction, Objective
from morphml.storage import SqlStore, open_store

SPACE = mm.SearchSpace(decisions={"x": mm.integer(0, 1000)})
#: Seconds for what should be a matter of moments on an idle machine.
LONG_S = 100.0
BEAT_S = 0.5


def spec(*, trials: int = 3, **fields: object) -> ExperimentSpec:
    """An experiment whose evaluator workers could import; no worker here does."""
    plain = ExperimentSpec(
        name="reviewed",
        space=SPACE.to_text(),
        space_digest=SPACE.digest,
        objectives=(Objective(name="score", direction=Direction.MAX),),
        optimizer=OptimizerReference(name="random", version=1, settings={}),
        budget=Budget(trials=trials),
        evaluator=EvaluatorReference(kind="path", reference="package.module:evaluate"),
        seed=5,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # the spec's own fields


@dataclass
class Site:
    """One store, its masters, and whoever works for them."""

    storage: str
    folder: Path
    store: SqlStore
    stack: ExitStack
    workers: list[ScriptedWorker] = field(default_factory=list)

    def master(self, name: str, **settings: object) -> Master:
        """A master that serves the store, with a folder of its own; ended with the test."""
        plain = MasterSettings(
            storage=self.storage,
            listen="127.0.0.1:0",
            name=name,
            artifacts=self.folder / name,
            stop_grace_s=2.0,
            report_every_s=0.2,
        )
        made = Master(replace(plain, **settings), ServerAccess())  # type: ignore[arg-type]  # its own
        return self.stack.enter_context(made)

    def worker(self, master: Master, worker: str = "w1", **fields: object) -> ScriptedWorker:
        made = ScriptedWorker(master.port, worker=worker, **fields)  # type: ignore[arg-type]  # its own
        made.dial()
        self.workers.append(made)
        return made

    def submit(self, wanted: ExperimentSpec, priority: int = 5) -> ExperimentId:
        experiment = self.store.create_experiment(wanted)
        self.store.cluster.submit(experiment, priority)
        return experiment

    def record(self, experiment: ExperimentId) -> ExperimentRecord:
        return self.store.experiment(experiment)

    def tasks(self, experiment: ExperimentId) -> Mapping[int, TaskRecord]:
        return {task.number: task for task in self.store.cluster.tasks(experiment)}

    def attempts(self, experiment: ExperimentId) -> list[AttemptRecord]:
        return list(self.store.attempts(experiment))

    def await_state(self, experiment: ExperimentId, state: ExperimentState) -> None:
        eventually(
            lambda: self.record(experiment).state is state,
            LONG_S,
            f"state {state}; it is {self.record(experiment)}",
        )

    def await_driver(self, experiment: ExperimentId, master: Master) -> None:
        eventually(lambda: experiment in driven(master), LONG_S, f"{master.settings.name} to drive")


def driven(master: Master) -> list[ExperimentId]:
    """What a master drives, whose first turn is over."""
    life = master._life
    drives = [] if life is None else life.driven
    return [each.experiment for each in drives if each.alive and each.progress is not None]


@contextmanager
def site(folder: Path, storage: str) -> Iterator[Site]:
    with ExitStack() as stack:
        store = open_store(storage)
        stack.callback(store.close)
        made = Site(storage, folder, store, stack)
        with ExitStack() as masters:
            made.stack = masters
            pulse = Pulse(made.workers)
            try:
                yield made
            finally:
                pulse.stop()
                for worker in made.workers:
                    worker.hang_up()


class Pulse:
    """Beats for all workers of a test, each with what it has."""

    def __init__(self, workers: list[ScriptedWorker]) -> None:
        self._workers = workers
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(BEAT_S):
            for worker in list(self._workers):
                if worker.status is None:
                    worker.beats += 1
                    beat = pb.Beat(index=worker.beats, running=held(worker))
                    worker.say(pb.WorkerEvent(beat=beat))


def held(worker: ScriptedWorker) -> list[str]:
    """Tokens of what a worker was given or came with, and has not let go."""
    came_with = [each.token for each in worker.registration.attempts]
    gone = {*worker.acknowledged(), *worker.killed()}
    return [token for token in (*came_with, *worker.tokens()) if token not in gone]
