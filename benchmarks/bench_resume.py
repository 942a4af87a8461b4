"""Fold of a long log, memory of a long search, and the cost of ``import morphml``."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bench_overhead import evaluate, layered_space, measure
from benchmarks.instant_engine import InstantEngine
from morphml.evaluation import EvaluatorSource
from morphml.master.crew import Run
from morphml.master.experiment import experiment_folder
from morphml.master.options import make_spec
from morphml.master.recovery import fresh_machine
from morphml.master.runner import run as drive
from morphml.settings import Durability
from morphml.storage import open_store

LONG = 100_000


def measure_fold(trials: int = LONG) -> dict[str, object]:
    """Seconds to fold the log of a search of 100,000 trials from SQLite."""
    space = layered_space()
    source = EvaluatorSource.of(evaluate)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fold.db"
        store = open_store(path)
        spec = make_spec(space, source, 1, {"optimizer": "evolution", "trials": trials})
        experiment = store.create_experiment(spec)
        drive(
            Run(
                store=store,
                experiment=experiment,
                spec=spec,
                space=space,
                source=source,
                folder=experiment_folder(path, experiment),
                workers=0,
                observer=lambda progress: None,
            ),
            engine=InstantEngine(space, evaluate, 64),
        )
        began = time.perf_counter()
        machine = fresh_machine(spec, space)
        machine.fold(store.log(experiment))
        seconds = time.perf_counter() - began
        assert machine.next_number == trials
        store.close()
    return {"case": f"fold of {trials:,} trials, evolution", "seconds": round(seconds, 2)}


def measure_length() -> list[dict[str, object]]:
    """Rate and memory of a long search against a short one."""
    return [
        measure(
            storage="SQLite",
            optimizer="evolution",
            in_flight=64,
            trials=trials,
            durability=Durability.NORMAL,
        )
        for trials in (10_000, LONG)
    ]


def measure_import(repeats: int = 10) -> dict[str, object]:
    """Median seconds and the memory of ``import morphml`` over an empty interpreter."""
    code = "import resource,sys;{}print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"

    def once(statement: str) -> tuple[float, float]:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code.format(statement)], capture_output=True, check=True
        )
        return time.perf_counter() - began, int(done.stdout) / 1024

    once("import morphml;")
    empty = [once("") for _ in range(repeats)]
    full = [once("import morphml;") for _ in range(repeats)]
    typed = [
        once("import morphml as mm;mm.search;mm.SearchSpace;mm.layers;") for _ in range(repeats)
    ]
    base = statistics.median(seconds for seconds, _ in empty)
    return {
        "case": "import morphml, over an empty interpreter",
        "seconds": round(statistics.median(s for s, _ in full) - base, 3),
        "mb": round(statistics.median(m for _, m in full), 1),
        "seconds_with_search": round(statistics.median(s for s, _ in typed) - base, 3),
        "mb_with_search": round(statistics.median(m for _, m in typed), 1),
    }


def run() -> list[dict[str, object]]:
    """All rows of the table."""
    return [measure_import(), *measure_length(), measure_fold()]


if __name__ == "__main__":
    for row in run():
        print(row)
