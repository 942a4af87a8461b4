"""Optimizers alone: time and memory of each trial, and regret on a published table.

``time``: ask and observe, without the space's own operators, on six categoricals of ten options.
``memory``: growth of the resident set over 100,000 told trials of one search.
``regret``: mean of the best cell's regret on NAS-Bench-201 (points of test accuracy) after 50, 100
and 200 evaluations, with its standard error and a plain reference search beside it.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import psutil

from benchmarks.nasbench201_table import BUDGETS, DATA_SETS, best_regrets, find_table, read_table
from morphml.optimizers import OPTIMIZERS, Asked, Told, create_optimizer
from morphml.seeds import generator
from morphml.testing.example_spaces import flat_space

#: Mean regret of plain reference searches after ``BUDGETS`` evaluations, by our name for them.
REFERENCES: dict[str, dict[str, tuple[float, float, float]]] = {
    "CIFAR-10": {
        "random": (0.683, 0.533, 0.386),
        "evolution": (0.687, 0.221, 0.022),
        "local_search": (0.261, 0.081, 0.003),
    },
    "CIFAR-100": {
        "random": (2.432, 1.989, 1.501),
        "evolution": (2.386, 0.897, 0.113),
        "local_search": (0.847, 0.178, 0.001),
    },
    "ImageNet16-120": {
        "random": (2.199, 1.718, 1.314),
        "evolution": (2.107, 0.932, 0.334),
        "local_search": (1.011, 0.568, 0.274),
    },
}


#: Trials over which optimizers are timed that take more than a millisecond for each.
_FEW = 400
_MINUTE_MS = 60_000.0


class Stopwatch:
    """A space whose operators' time is added up, to be taken off."""

    def __init__(self, space: Any) -> None:
        self.space = space
        self.seconds = 0.0
        for name in ("sample", "mutate", "crossover"):
            setattr(self, name, self._timed(getattr(space, name)))

    def _timed(self, operator: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            made = operator(*arguments, **options)
            self.seconds += time.perf_counter() - began
            return made

        return timed

    def neighbours(self, architecture: Any) -> Iterator[Any]:
        began = time.perf_counter()
        found = list(self.space.neighbours(architecture))
        self.seconds += time.perf_counter() - began
        return iter(found)


def rugged(vector: tuple[Any, ...]) -> float:
    """A value with many local optima."""
    pairs = pairwise(vector)
    return float(sum(vector) + sum(7 * (3 * a + 5 * b) % 11 for a, b in pairs))


def search(optimizer: Any, trials: int, pending: int = 1) -> float:
    """Seconds of ask and observe over ``trials`` trials of a rugged problem, duplicates allowed."""
    seconds = 0.0
    running = []
    for number in range(trials):
        rng = generator(0, number, "ask/0")
        began = time.perf_counter()
        proposal = optimizer.ask(number, rng)
        optimizer.observe(
            Asked(number=number, architecture=proposal.architecture, parents=proposal.parents)
        )
        seconds += time.perf_counter() - began
        running.append((number, rugged(proposal.architecture.vector)))
        if len(running) >= pending:
            ended, value = running.pop(0)
            began = time.perf_counter()
            optimizer.observe(Told(number=ended, values=(value,)))
            seconds += time.perf_counter() - began
    return seconds


def measure_time(name: str, trials: int) -> dict[str, object]:
    """Microseconds of one trial beyond the space's operators."""
    space = Stopwatch(flat_space(decisions=6, options=10))
    seconds = search(create_optimizer(name, space), trials, pending=4)  # type: ignore[arg-type]
    return {
        "case": f"time, {name}",
        "trials": trials,
        "us_per_trial": round(1e6 * (seconds - space.seconds) / trials, 1),
        "us_of_the_space": round(1e6 * space.seconds / trials, 1),
    }


def measure_memory(name: str, trials: int) -> dict[str, object]:
    """Megabytes that one search grows by."""
    optimizer = create_optimizer(name, flat_space(decisions=6, options=10))
    gc.collect()
    before = psutil.Process().memory_info().rss
    search(optimizer, trials, pending=4)
    gc.collect()
    grown = psutil.Process().memory_info().rss - before
    return {"case": f"memory, {name}", "trials": trials, "rss_mb": round(grown / 2**20, 1)}


def measure_regret(data_set: str, name: str, seeds: int) -> dict[str, object]:
    """Mean regret with its standard error, and the reference."""
    path = find_table()
    assert path is not None
    table = read_table(path, data_set)
    curves = np.array([best_regrets(table, name, seed) for seed in range(seeds)])
    means = curves.mean(axis=0)
    errors = curves.std(axis=0, ddof=1) / np.sqrt(seeds)
    row: dict[str, object] = {"case": f"regret, {data_set}, {name}", "seeds": seeds}
    for column, budget in enumerate(BUDGETS):
        row[f"at_{budget}"] = f"{means[column]:.3f} ± {errors[column]:.3f}"
    reference = REFERENCES[data_set].get(name)
    row["reference"] = " / ".join(f"{value:.3f}" for value in reference) if reference else ""
    return row


def milliseconds(name: str, trials: int = 120) -> float:
    """Of one trial, from a short search: how much of a measurement an optimizer can be given."""
    began = time.process_time()
    search(create_optimizer(name, flat_space(decisions=6, options=10)), trials, pending=4)
    return 1e3 * (time.process_time() - began) / trials


def run(seeds: int = 20, trials: int = 20_000) -> list[dict[str, object]]:
    """All rows of the table; the regret rows only where the table's file is found.

    Optimizers that take more than a millisecond for a trial get fewer trials and, where 20 seeds
    would take more than a minute, fewer seeds; their memory is bounded by their window.
    """
    costs = {name: milliseconds(name) for name in OPTIMIZERS}
    quick = [name for name, ms in costs.items() if ms <= 1.0 and name != "auto"]
    rows = [measure_time(name, trials if name in quick else _FEW) for name in OPTIMIZERS]
    rows += [measure_memory(name, 100_000) for name in quick]
    if find_table() is None:
        return [*rows, {"case": "regret: nb201.npz not found (MORPHML_DATA)", "seeds": 0}]
    for name, ms in costs.items():
        afford = int(_MINUTE_MS / (ms * max(BUDGETS) * len(DATA_SETS)))
        rows += [measure_regret(d, name, max(2, min(seeds, afford))) for d in DATA_SETS]
    return rows


def main() -> None:
    """Print the table; 200 seeds are the full one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    for row in run(parser.parse_args().seeds):
        print(row)


if __name__ == "__main__":
    main()
