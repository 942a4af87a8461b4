"""Searches of many seeds, from which the tables of docs/optimizers.md are made.

    make bench-optimizers-full                     # all parts, 200 seeds: hours of one core
    python -m benchmarks.optimizers_full --parts direct --seeds 20 --optimizers auto,local_search
    python -m benchmarks.optimizers_full --parts own,planted

Searches are kept in ``bench-results`` as they end; the same command goes on after a stop. Seeds
come in blocks, so that a run that is cut short has about as many seeds of every problem.
``python -m benchmarks.optimizers_page bench-results`` makes the tables of what is there.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.nasbench201_table import DATA_SETS
from morphml.benchmarks import (
    Campaign,
    Problem,
    competitors,
    digits_cells,
    nasbench201,
    run_campaign,
    synthetic,
    with_workers,
)

#: Seeds after which every problem has as many.
BLOCKS = (10, 20, 50, 100, 150)
#: Of a small budget: one look-up is one evaluation.
TRIALS = 200
#: Of two objectives.
FRONT_TRIALS = 500
#: Full trainings that searches with and without rules of fidelity may spend, in epochs.
EPOCHS_TRIALS = 160
#: Trials at a time under the computed clock.
WORKERS = 4
FOLDER = Path(__file__).resolve().parents[1] / "bench-results"
PLAIN = "random,evolution,local_search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Problems that are searched by the same optimizers."""

    problems: Callable[[], list[Problem]]
    #: Who takes part where nobody is named.
    optimizers: str
    trials: int = TRIALS
    #: At most.
    seeds: int = 200


PARTS = {
    "direct": Part(
        problems=lambda: [nasbench201(name) for name in DATA_SETS.values()],
        optimizers=f"{PLAIN},bananas,auto",
    ),
    "own": Part(problems=lambda: [digits_cells()], optimizers=f"{PLAIN},bananas,auto"),
    "planted": Part(
        problems=lambda: [synthetic("cell"), synthetic("cnn")], optimizers=f"{PLAIN},auto", seeds=50
    ),
    "front": Part(
        problems=lambda: [nasbench201("cifar10", "latency")],
        optimizers="random,genetic,nsga2,auto",
        trials=FRONT_TRIALS,
        seeds=50,
    ),
    "early": Part(
        problems=lambda: [nasbench201(name, "cheap") for name in DATA_SETS.values()],
        optimizers=f"{PLAIN},bananas,auto",
        seeds=50,
    ),
    "epochs": Part(
        problems=lambda: [with_workers(digits_cells("validation"), WORKERS)],
        optimizers="random,evolution,random+median,random+asha_stopping,asha,hyperband,"
        "evolution+asha,bohb",
        trials=EPOCHS_TRIALS,
        seeds=100,
    ),
}


def campaigns(part: Part, optimizers: str, most: int, folder: Path) -> Iterator[Campaign]:
    """What is wanted of a part, block by block."""
    problems = part.problems()
    names = competitors(optimizers or part.optimizers, simulated=problems[0].workers > 0)
    made = partial(Campaign, names=names, trials=part.trials, folder=folder)
    last = min(most, part.seeds)
    for seeds in [*(block for block in BLOCKS if block < last), last]:
        for problem in problems:
            yield made(problem=problem, seeds=seeds)


def main() -> None:
    """Run what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="all", help=f"of {','.join(PARTS)}")
    parser.add_argument("--seeds", type=int, default=200, help="at most")
    parser.add_argument("--optimizers", default="", help="names with commas, or all")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--to", type=Path, default=FOLDER)
    options = parser.parse_args()
    names = list(PARTS) if options.parts == "all" else options.parts.split(",")
    for name in names:
        for wanted in campaigns(PARTS[name], options.optimizers, options.seeds, options.to):
            run_campaign(wanted, processes=options.processes)
            print(f"{wanted.problem.name}: {wanted.seeds} seeds", flush=True)


if __name__ == "__main__":
    main()
