"""Optimizers alone: time of a proposal, memory, and regret on tables and on planted networks.

``ask and tell``: processor time of one of each after 1,000 and 10,000 results, amortised over 100,
on six categoricals of ten options, and how much of a long history the optimizer sees.
``memory``: growth of the resident set over 100,000 told trials of one search.
``regret``: mean regret on NAS-Bench-201 after 50, 100 and 200 evaluations (points of test accuracy,
± half of the 95 % interval), and how far above regularized evolution it may be: the highest upper
end of the paired intervals. ``hypervolume``: accuracy against latency, the share of the exact
front's after 500. ``early``: the search sees ``val_12``; regret in that.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.asking import measure_asks, measure_memory, milliseconds
from benchmarks.nasbench201_table import BUDGETS, DATA_SETS, find_table
from morphml.benchmarks import (
    Campaign,
    Comparison,
    Problem,
    compare,
    nasbench201,
    run_campaign,
    synthetic,
)
from morphml.benchmarks.campaign import ALL, competitors
from morphml.optimizers import OPTIMIZERS

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
BASELINE = "evolution"
#: Processor milliseconds that the regret of one optimizer may take on one problem.
_AFFORD_MS = 45_000.0
#: What looks at graphs takes so much more time where there are some.
_OVER_GRAPHS = ("bananas",)
_GRAPHS_DEARER = 15.0
#: Fewer seeds than these say nothing.
_LEAST = 3
_PROCESSES = 2
_FRONT_TRIALS = 500


def measured(
    problem: Problem, names: list[str], seeds: int, trials: int, folder: Path
) -> Comparison:
    """Searches of a problem, against regularized evolution with the same seeds."""
    wanted = Campaign(problem=problem, names=names, seeds=seeds, trials=trials, folder=folder)
    runs = run_campaign(wanted, processes=_PROCESSES)
    unit = "share" if problem.verdict == "hypervolume" else "points"
    return compare(runs, unit=unit, baseline=BASELINE, marks=[b for b in BUDGETS if b <= trials])


def rows_of(made: Comparison, kind: str) -> Iterator[dict[str, object]]:
    """A row for each optimizer."""
    for each in made.standings:
        row: dict[str, object] = {
            "case": f"{kind}, {made.problem}, {each.optimizer}",
            "seeds": made.seeds,
        }
        for mark in each.marks:
            row[f"at_{mark.evaluations}"] = f"{mark.missing.mean:.3f} ± {mark.missing.half:.3f}"
        ends = [mark.apart.high for mark in each.marks if mark.apart is not None]
        if ends:
            row["above_evolution_at_most"] = round(max(ends), 3)
        row["wasted"] = each.wasted
        yield row


def regrets(seeds: int, costs: dict[str, float], folder: Path) -> Iterator[dict[str, object]]:
    """Rows of every problem; dear optimizers have fewer seeds, or none."""
    problems = [nasbench201(name) for name in DATA_SETS.values()] if find_table() else []
    for problem in [*problems, synthetic("cell")]:
        groups: dict[int, list[str]] = {seeds: [BASELINE]}
        for name, ms in costs.items():
            dear = _GRAPHS_DEARER if problem.space.has_graph and name in _OVER_GRAPHS else 1.0
            afford = min(seeds, int(_AFFORD_MS / (ms * dear * max(BUDGETS))))
            if afford >= _LEAST and name != BASELINE:
                groups.setdefault(afford, []).append(name)
        for count, names in sorted(groups.items(), reverse=True):
            together = names if BASELINE in names else [BASELINE, *names]
            made = measured(problem, together, count, max(BUDGETS), folder)
            yield from (
                row
                for row in rows_of(made, "regret")
                if count == seeds or not str(row["case"]).endswith(f" {BASELINE}")
            )


def _cost(name: str) -> float:
    """Milliseconds of one ask and tell after 100 results."""
    milliseconds(name, 20, 2)  # whatever is imported at a first ask
    return milliseconds(name, 100, 20)


def fronts(seeds: int, folder: Path) -> Iterator[dict[str, object]]:
    """The share of the exact front's hypervolume after 500 evaluations."""
    for name in ("auto", "nsga2", "random"):
        wanted = Campaign(
            problem=nasbench201("cifar10", "latency"),
            names=[name],
            seeds=seeds,
            trials=_FRONT_TRIALS,
            folder=folder,
        )
        runs = run_campaign(wanted, processes=_PROCESSES)
        made = compare(runs, unit="share", baseline=name, marks=[_FRONT_TRIALS])
        missing = made.standings[0].marks[0].missing
        yield {
            "case": f"hypervolume, {made.problem}, {name}",
            "seeds": made.seeds,
            "share": round(1.0 - missing.mean, 4),
            "half": round(missing.half, 4),
        }


def early(seeds: int, folder: Path) -> Iterator[dict[str, object]]:
    """The cheap protocol: regret in what the search sees, after 200 evaluations."""
    names = ["auto", "bananas", "local_search", "evolution", "random"]
    for data_set in DATA_SETS.values():
        problem = nasbench201(data_set, "cheap")
        made = measured(problem, names, seeds, max(BUDGETS), folder)
        for each in made.standings:
            seen, judged = (curve[-1] for curve in each.curves.values())
            yield {
                "case": f"early, {problem.name}, {each.optimizer}",
                "seeds": made.seeds,
                "val_12": f"{seen.mean:.3f} ± {seen.half:.3f}",
                "test_200": f"{judged.mean:.3f} ± {judged.half:.3f}",
            }


def run(seeds: int = 20) -> list[dict[str, object]]:
    """All rows of the table; those of NAS-Bench-201 only where its file is found."""
    here = [name for name in competitors(ALL) if name in OPTIMIZERS]
    costs = {name: _cost(name) for name in here}
    rows = [measure_asks(name) for name in here]
    rows += [measure_memory(name, 100_000) for name in ("random", "evolution", "local_search")]
    with tempfile.TemporaryDirectory() as folder:
        rows += regrets(seeds, costs, Path(folder))
        if find_table() is None:
            return [*rows, {"case": "NAS-Bench-201: nb201.npz not found (MORPHML_DATA)"}]
        rows += fronts(max(2, seeds // 2), Path(folder))
        rows += early(max(2, seeds // 4), Path(folder))
    return rows


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    for row in run(parser.parse_args().seeds):
        print(row, flush=True)


if __name__ == "__main__":
    main()
