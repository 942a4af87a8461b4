"""A search that kills itself at one exact point of a trial's way; run by ``test_kill_points``."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path

import morphml as mm
from morphml.engines.port import Assignment, Engine, EngineEvent
from morphml.master import Experiment
from morphml.master.choosing import EngineChoice, make_engine
from morphml.master.crew import Run
from morphml.master.runner import run
from morphml.search.changes import Changes, Driver

TRIALS = 24
SPACE = mm.SearchSpace(decisions={"a": mm.integer(0, 30), "b": mm.integer(0, 30)})


class Deathbed:
    """Counts the passes of each point and dies, or raises, at one of them."""

    def __init__(self, point: str, count: int, error: Exception | None = None) -> None:
        self._point = point
        self._count = count
        self._error = error
        self._passed: Counter[str] = Counter()

    def passing(self, point: str) -> None:
        self._passed[point] += 1
        if point == self._point and self._passed[point] == self._count:
            if self._error is not None:
                raise self._error
            os.kill(os.getpid(), signal.SIGKILL)


class DyingStore:
    """A store that dies around its transactions."""

    def __init__(self, store: object, deathbed: Deathbed) -> None:
        self._store = store
        self._deathbed = deathbed

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def commit(self, driver: Driver, changes: Changes) -> None:
        self._deathbed.passing("before commit")
        self._store.commit(driver, changes)
        self._deathbed.passing("after commit")

    def claim(self, experiment: object, session: object, limit: int) -> object:
        claimed = self._store.claim(experiment, session, limit=limit)
        self._deathbed.passing("after claim")
        return claimed


class DyingEngine:
    """An engine that dies around what it is handed and what it hands back."""

    def __init__(self, engine: Engine, deathbed: Deathbed) -> None:
        self._engine = engine
        self._deathbed = deathbed

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def submit(self, *assignments: Assignment) -> None:
        for assignment in assignments:
            self._deathbed.passing("before submit")
            self._engine.submit(assignment)
            self._deathbed.passing("after submit")

    def events(self, timeout_s: float) -> list[EngineEvent]:
        events = self._engine.events(timeout_s)
        if events:
            self._deathbed.passing("after events")
        return events


def make(folder: Path, workers: int) -> Experiment:
    """The experiment in ``folder``, made where it is not there."""
    if (folder / "s.db").exists():
        return Experiment.open(folder / "s.db")
    place = str(folder / "evaluations")

    def evaluate(arch, trial):
        line = f"{trial.number}\n".encode()
        file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, line)
        os.close(file)
        trial.report(1, loss=1.0)
        return float((arch.decisions["a"] - 7) ** 2 + (arch.decisions["b"] - 21) ** 2)

    return Experiment.create(
        SPACE, evaluate, storage=folder / "s.db", objectives={"loss": "min"}, trials=TRIALS,
        optimizer="evolution", optimizer_settings={"population_size": 6, "sample_size": 3},
        workers=workers, seed=11,
    )  # fmt: skip


def drive(experiment: Experiment, workers: int, deathbed: Deathbed) -> None:
    """Run the experiment until the deathbed is reached."""
    run(
        Run(
            store=DyingStore(experiment.store, deathbed),
            experiment=experiment.id,
            spec=experiment.spec,
            space=experiment.space,
            source=experiment._evaluator(experiment.spec),
            folder=experiment.folder,
            workers=workers,
            observer=lambda progress: None,
        ),
        DyingEngine(make_engine(EngineChoice.parse("local"), workers, {}), deathbed),
    )


def main() -> None:
    folder, workers, point, count = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    with make(folder, workers) as experiment:
        drive(experiment, workers, Deathbed(point, int(count)))


if __name__ == "__main__":
    main()
