"""Searches of many seeds, from which the tables of docs/optimizers.md are made.

    make bench-optimizers-full                     # 200 seeds: an hour or more of two cores
    python -m benchmarks.optimizers_full --seeds 20 --optimizers auto,local_search

Searches are kept in ``bench-results`` as they end; the same command goes on after a stop. Seeds
come in blocks, so that a run that is cut short has about as many seeds of every problem.
``python -m benchmarks.optimizers_page`` makes the tables of what is there.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from morphml.benchmarks import Campaign, competitors, nasbench201, run_campaign

DATA_SETS = ("cifar10", "cifar100", "imagenet16")
#: Seeds after which every problem has as many.
BLOCKS = (10, 20, 50, 100, 150)
TRIALS = 200
FOLDER = Path(__file__).resolve().parents[1] / "bench-results"


def main() -> None:
    """Run what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--optimizers", default="random,evolution,local_search,bananas,auto")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--to", type=Path, default=FOLDER)
    options = parser.parse_args()
    names = competitors(options.optimizers)
    problems = [nasbench201(data_set) for data_set in DATA_SETS]
    for seeds in [*(block for block in BLOCKS if block < options.seeds), options.seeds]:
        for problem in problems:
            wanted = Campaign(
                problem=problem, names=names, seeds=seeds, trials=TRIALS, folder=options.to
            )
            run_campaign(wanted, processes=options.processes)
            print(f"{problem.name}: {seeds} seeds", flush=True)


if __name__ == "__main__":
    main()
