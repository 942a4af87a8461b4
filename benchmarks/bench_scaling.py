"""Slot use of 50 local processes on this machine, through a whole search on SQLite with evolution.

Efficiency is the sum of durations timed in the children over 50 x (last end - first start). With
sleeps of 0.2 to 3 s it is taken until the queue runs dry: the moment the last number is asked.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import morphml as mm
from benchmarks.sleeping import sleep_one_second, sleep_unevenly
from morphml.engines import LocalEngine
from morphml.master import Experiment
from morphml.search.progress import Progress

WORKERS = 50


def measure(evaluate: object, trials: int, *, until_dry: bool) -> dict[str, object]:
    """Slot use of one search."""
    space = mm.SearchSpace(decisions={"a": mm.integer(0, 999), "b": mm.integer(0, 999)})
    ready: list[float] = []
    began = time.monotonic()

    def watch(progress: Progress) -> None:
        if progress.busy == WORKERS and not ready:
            ready.append(time.monotonic() - began)

    with tempfile.TemporaryDirectory() as folder:
        options = {"objectives": {"a": "max"}, "optimizer": "evolution", "trials": trials}
        with Experiment.create(
            space, evaluate, storage=Path(folder) / "s.db", workers=WORKERS, **options
        ) as experiment:
            experiment.run(observer=watch)
            attempts = list(experiment.store.attempts(experiment.id))
    assert len(attempts) == trials
    starts = sorted(a.started_at for a in attempts)
    first = starts[0]
    last = starts[-1] if until_dry else max(a.started_at + a.duration_s for a in attempts)
    used = sum(min(a.started_at + a.duration_s, last) - a.started_at for a in attempts)
    return {
        "case": f"{WORKERS} local processes, {evaluate.__name__}",
        "trials": trials,
        "efficiency": round(used / (WORKERS * (last - first)), 4),
        "span_s": round(last - first, 3),
    }


def measure_start() -> dict[str, object]:
    """Seconds until 50 children have answered one attempt each."""
    began = time.monotonic()
    engine = LocalEngine(WORKERS)
    seconds = wait_until_ready(engine, began)
    engine.close()
    return {"case": f"{WORKERS} children ready", "seconds": round(seconds, 2)}


def wait_until_ready(engine: LocalEngine, began: float) -> float:
    """Seconds from ``began`` until every child has announced itself."""
    while engine.ready < WORKERS:
        engine.events(0.05)
    return time.monotonic() - began


def run() -> list[dict[str, object]]:
    """All rows of the table."""
    return [
        measure_start(),
        measure(sleep_one_second, 200, until_dry=False),
        measure(sleep_unevenly, 300, until_dry=True),
    ]


if __name__ == "__main__":
    for row in run():
        print(row)
