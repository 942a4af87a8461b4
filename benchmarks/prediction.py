"""How well the simulator foretells 50 real processes that sleep.

The time that a slot stands still between two tasks is measured in a run of its own, with other
durations. What is foretold knows that time and the durations that the tasks will have; it is said
before the run that it is compared with.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

import morphml as mm
from benchmarks.sleeping import LONGEST_S, SHORTEST_S, sleep_one_second, sleep_unevenly
from morphml.master import Experiment
from morphml.search.changes import AttemptRecord
from morphml.seeds import training_seed
from morphml.testing.simulator import Load, Measured, Scenario, WorkerKind, gaps, simulate

WORKERS = 50
#: (trials, seed) of the runs that are foretold.
RUNS = ((200, 11), (500, 12))


def measure_predictions() -> list[dict[str, object]]:
    """One row for each run."""
    overhead_s = measure_overhead()
    return [predict_and_measure(trials, seed, overhead_s) for trials, seed in RUNS]


def measure_overhead() -> float:
    """Median seconds between two tasks on a slot, of one-second sleeps."""
    spans = [(a.worker, a.started_at, a.duration_s) for a in attempts(sleep_one_second, 200, 5)]
    return median(gaps(spans))


def predict_and_measure(trials: int, seed: int, overhead_s: float) -> dict[str, object]:
    """The makespan as foretold, and as it was."""
    durations = tuple(planned(training_seed(seed, number)) for number in range(trials))
    in_order = foretell(durations, overhead_s, ordered=True)
    of_any = [foretell(durations, overhead_s, ordered=False, seed=n) for n in range(20)]
    ended = attempts(sleep_unevenly, trials, seed)
    first = min(each.started_at for each in ended)
    real = max(each.started_at + each.duration_s for each in ended) - first
    mean = sum(of_any) / len(of_any)
    return {
        "case": f"{WORKERS} local processes foretold, {trials} tasks",
        "overhead_ms": round(1000 * overhead_s, 2),
        "measured_s": round(real, 3),
        "predicted_s": round(in_order, 3),
        "off_percent": round(100 * abs(in_order / real - 1), 2),
        "unordered_s": round(mean, 3),
        "unordered_off_percent": round(100 * abs(mean / real - 1), 2),
    }


def foretell(
    durations: tuple[float, ...], overhead_s: float, *, ordered: bool, seed: int = 0
) -> float:
    """Seconds from the first start to the last end."""
    load = Load(count=len(durations), durations=Measured(seconds=durations, ordered=ordered))
    pool = (WorkerKind(count=WORKERS),)
    scenario = Scenario(name="foretold", workers=pool, loads=(load,), overhead_s=overhead_s)
    return simulate(scenario, "fifo", seed).makespan_s - overhead_s


def planned(seed: int) -> float:
    """What ``sleep_unevenly`` sleeps for a trial of that seed."""
    return SHORTEST_S + (LONGEST_S - SHORTEST_S) * (seed % 1000) / 999


def attempts(evaluate: object, trials: int, seed: int) -> list[AttemptRecord]:
    """All attempts of a random search with 50 local processes on SQLite."""
    space = mm.SearchSpace(decisions={"a": mm.integer(0, 999), "b": mm.integer(0, 999)})
    with tempfile.TemporaryDirectory() as folder:
        options = {"objectives": {"a": "max"}, "optimizer": "random", "trials": trials}
        with Experiment.create(
            space,
            evaluate,
            storage=Path(folder) / "s.db",
            workers=WORKERS,
            seed=seed,
            **options,
        ) as experiment:
            experiment.run()
            return list(experiment.store.attempts(experiment.id))
