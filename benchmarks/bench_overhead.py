"""Overhead of a trial: the full way (graph, ids, dedupe, rows) of an evaluator that does nothing.

``told before the next ask`` runs the search with one slot; ``64 in flight`` keeps 64 attempts
submitted. Optuna runs beside it in the same session, with the same decisions as categoricals.

Every case runs ``ROUNDS`` times, all cases in turns: what else a machine does only ever makes a run
slower, so the best is nearest to what the code costs, and the worst says how quiet the machine was.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from benchmarks.searching import WIDTHS, Case, figure, measure
from morphml.settings import Durability

#: Runs of each case.
ROUNDS = 3
#: Trials of a search that nobody times.
WARM_UP = 500


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
    cases = [
        Case(
            storage=storage,
            durability=durability,
            optimizer=optimizer,
            in_flight=in_flight,
            trials=trials,
        )
        for optimizer in ("random", "evolution")
        for storage, durability, in_flight in (
            ("memory", Durability.NORMAL, 1),
            ("SQLite", Durability.FULL, 1),
            ("SQLite", Durability.NORMAL, 1),
            ("SQLite", Durability.FULL, 64),
        )
    ]
    peers = [
        partial(measure_optuna, storage=storage, sampler=sampler, trials=count)
        for storage, sampler, count in (
            ("memory", "random", 2000),
            ("memory", "TPE (default)", 500),
            ("memory", "NSGA-II (evolution)", 2000),
            ("SQLite", "random", 200),
            ("SQLite", "TPE (default)", 200),
            ("SQLite", "NSGA-II (evolution)", 200),
        )
    ]
    runs = [partial(measure, case) for case in cases] + peers
    measure(replace(cases[0], trials=WARM_UP))  # what is imported or compiled once is no overhead
    rounds = [[run() for run in runs] for _ in range(ROUNDS)]
    return [best_of(rows) for rows in zip(*rounds, strict=True)]


def best_of(rows: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """The row of the fastest run, with the rate of the slowest beside it."""
    by_rate = sorted(rows, key=lambda row: figure(row, "trials_per_s"))
    return {**by_rate[-1], "slowest": by_rate[0]["trials_per_s"]}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000)
    for row in run(parser.parse_args().trials):
        print(row)


if __name__ == "__main__":
    main()
