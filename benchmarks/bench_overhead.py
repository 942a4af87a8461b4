"""Overhead of a trial: the full way (graph, ids, dedupe, rows) of an evaluator that does nothing.

Six layers whose width is one of ten, so 10**6 members. ``told before the next ask`` runs the search
with one slot; ``64 in flight`` keeps 64 attempts submitted. Optuna runs beside it in the same
session, with the same decisions as categoricals.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.instant_engine import InstantEngine
from morphml import layers as L
from morphml.evaluation import EvaluatorSource
from morphml.master.crew import Run
from morphml.master.experiment import experiment_folder
from morphml.master.options import make_spec
from morphml.master.runner import run as drive
from morphml.settings import Durability
from morphml.space import SearchSpace, choice
from morphml.storage import StoreOptions, open_store

WIDTHS = tuple(range(8, 88, 8))


def layered_space() -> SearchSpace:
    """Six dense layers, each of one of ten widths."""
    layers = [L.dense(units=choice(*WIDTHS)) for _ in range(6)]
    return SearchSpace(input=(16,), layers=[*layers, L.output(10)])


def evaluate(arch, trial) -> float:
    """A score that costs nothing."""
    return float(sum(code or 0 for code in arch.vector))


def measure(
    *, storage: str, optimizer: str, in_flight: int, trials: int, durability: Durability
) -> dict[str, object]:
    """Trials per second of one search, and the growth of the resident set."""
    space = layered_space()
    source = EvaluatorSource.of(evaluate)
    with tempfile.TemporaryDirectory(dir=None) as folder:
        path = None if storage == "memory" else Path(folder) / "bench.db"
        store = open_store(path, StoreOptions(durability=durability))
        spec = make_spec(space, source, 1, {"optimizer": optimizer, "trials": trials, "seed": 1})
        experiment = store.create_experiment(spec)
        gc.collect()
        before = psutil.Process().memory_info().rss
        began = time.perf_counter()
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
            engine=InstantEngine(space, evaluate, in_flight),
        )
        seconds = time.perf_counter() - began
        grown = psutil.Process().memory_info().rss - before
        count = sum(1 for _ in store.trials(experiment))
        store.close()
    assert count == trials, (count, trials)
    return {
        "case": f"{storage} {durability.value}, {optimizer}, {in_flight} in flight",
        "trials": trials,
        "trials_per_s": round(trials / seconds),
        "rss_mb": round(grown / 2**20, 1),
    }


def measure_optuna(*, storage: str, sampler: str, trials: int) -> dict[str, object]:
    """The same number of trials with Optuna."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = {
        "random": optuna.samplers.RandomSampler,
        "TPE (default)": optuna.samplers.TPESampler,
        "NSGA-II (evolution)": optuna.samplers.NSGAIISampler,
    }

    def objective(trial: optuna.Trial) -> float:
        return float(sum(trial.suggest_categorical(f"u{i}", WIDTHS) for i in range(6)))

    with tempfile.TemporaryDirectory() as folder:
        url = None if storage == "memory" else f"sqlite:///{folder}/optuna.db"
        with contextlib.suppress(Warning):
            study = optuna.create_study(storage=url, sampler=samplers[sampler](seed=1))
        began = time.perf_counter()
        study.optimize(objective, n_trials=trials)
        seconds = time.perf_counter() - began
    return {
        "case": f"Optuna {optuna.__version__} {storage}, {sampler}",
        "trials": trials,
        "trials_per_s": round(trials / seconds),
        "rss_mb": None,
    }


def run(trials: int = 4000) -> list[dict[str, object]]:
    """All rows of the table."""
    rows = []
    for optimizer in ("random", "evolution"):
        for storage, durability, in_flight in (
            ("memory", Durability.NORMAL, 1),
            ("SQLite", Durability.FULL, 1),
            ("SQLite", Durability.NORMAL, 1),
            ("SQLite", Durability.FULL, 64),
        ):
            rows.append(
                measure(
                    storage=storage,
                    optimizer=optimizer,
                    in_flight=in_flight,
                    trials=trials,
                    durability=durability,
                )
            )
    for storage, sampler, count in (
        ("memory", "random", 2000),
        ("memory", "TPE (default)", 500),
        ("memory", "NSGA-II (evolution)", 2000),
        ("SQLite", "random", 200),
        ("SQLite", "TPE (default)", 200),
        ("SQLite", "NSGA-II (evolution)", 200),
    ):
        rows.append(measure_optuna(storage=storage, sampler=sampler, trials=count))
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000)
    for row in run(parser.parse_args().trials):
        print(row)


if __name__ == "__main__":
    main()
