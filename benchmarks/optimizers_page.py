"""The tables of docs/optimizers.md and docs/multi-fidelity.md, from searches that a folder holds.

    python -m benchmarks.optimizers_page bench-results            # prints them
    python -m benchmarks.optimizers_page bench-results --write    # into the pages, and as JSON

Every optimizer is shown with all seeds that it has, and is paired with a baseline by the seeds that
both have.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.bench_optimizers import REFERENCES
from benchmarks.kept_runs import Kept
from benchmarks.nasbench201_table import BUDGETS, DATA_SETS
from benchmarks.optimizers_bars import bars_table, fronts_reached
from benchmarks.scheduling_page import put_between
from morphml.benchmarks import compare
from morphml.benchmarks.run import Run
from morphml.benchmarks.statistics import Interval
from morphml.benchmarks.timing import missing_at

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "optimizers.md"
EPOCHS_PAGE = DOCS / "multi-fidelity.md"
DOCUMENT = DOCS / "optimizers-measured.json"
BASELINES = ("local_search", "evolution")
#: Evaluations after which searches of that many trials are shown.
PLACES = {200: BUDGETS, 500: (125, 250, 500), 160: (5, 10, 20, 40, 80, 160)}
#: Of a curve in the document.
_POINTS = 40
#: What makes the searches.
_BY = "make bench-optimizers-full"
#: Epochs of a full trial of the package's own table.
_FULL = 12
#: Titles of the other problems on which everyone stands.
_OTHERS = {
    "digits-cells/digits/direct": "The package's own table, points of test accuracy",
    "synthetic/cell": "A planted cell, distance from 0 to 1",
    "synthetic/cnn": "A planted convolutional network, distance from 0 to 1",
}
FRONT = "nasbench201/cifar10/latency"
EPOCHS = "digits-cells/digits/validation/4-workers"


def shown(found: Interval | None, digits: int = 3) -> str:
    """A mean with half of its interval."""
    return "" if found is None else f"{found.mean:.{digits}f} ± {found.half:.{digits}f}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """As Markdown has it."""
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def standings(kept: Kept, references: Mapping[str, tuple[float, float, float]]) -> str:
    """Everybody on one problem, best after the second budget on top."""
    baselines = [name for name in BASELINES if name in kept.runs]
    heads = ["optimizer", "seeds", *map(str, BUDGETS)]
    heads += ["reference"] if references else []
    heads += [f"against {name}" for name in baselines]
    heads += ["by network", "networks", "wasted", "ms"]
    return table(
        heads,
        [
            _standing(kept, name, references, baselines)
            for name in sorted(kept.runs, key=lambda each: kept.missing(each, BUDGETS[1]).mean)
        ],
    )


def _standing(
    kept: Kept,
    name: str,
    references: Mapping[str, tuple[float, float, float]],
    baselines: Sequence[str],
) -> list[str]:
    runs = kept.of(name)
    cells = [name, str(len(runs)), *(shown(kept.missing(name, place)) for place in BUDGETS)]
    if references:
        cells.append(" / ".join(f"{value:.3f}" for value in references.get(name, ())))
    cells += [kept.words(name, baseline, BUDGETS) for baseline in baselines]
    found = [kept.missing_by_network(name, place) for place in BUDGETS]
    cells.append(" / ".join(f"{each.mean:.3f}" for each in found if each is not None))
    networks = [run.networks for run in runs if run.networks is not None]
    cells.append(f"{_mean(networks):.0f}" if networks else "")
    cells.append(f"{_mean([run.wasted for run in runs]):.0f}")
    cells.append(f"{_mean([run.ask_ms for run in runs]):.1f}")
    return cells


def all_standings(results: Mapping[str, Kept]) -> str:
    """NAS-Bench-201, the package's own table and the planted networks."""
    published = {f"nasbench201/{ours}/direct": name for name, ours in DATA_SETS.items()}
    titles = {
        problem: f"NAS-Bench-201, {name}, points of test accuracy"
        for problem, name in published.items()
    } | _OTHERS
    return "\n\n".join(
        f"#### {title}\n\n" + standings(results[name], REFERENCES.get(published.get(name, ""), {}))
        for name, title in titles.items()
        if name in results
    )


def front(results: Mapping[str, Kept]) -> str:
    """Two objectives."""
    kept = results[FRONT]
    heads = ["optimizer", "seeds", *map(str, PLACES[500]), "IGD+ at 500", "bar at 500"]
    return table(heads, fronts_reached(kept, PLACES[500]))


def early(results: Mapping[str, Kept]) -> str:
    """What a search sees early, and what that is worth."""
    rows = []
    for published, ours in DATA_SETS.items():
        kept = results[f"nasbench201/{ours}/cheap"]
        for name in sorted(kept.runs, key=lambda each: _seen(kept.of(each), 200)):
            runs = kept.of(name)
            means = [f"{_seen(runs, place):.3f}" for place in BUDGETS]
            judged = shown(kept.missing(name, 200))
            rows.append([published, name, str(len(runs)), *means, judged])
    heads = ["data set", "optimizer", "seeds", *(f"val_12 at {b}" for b in BUDGETS)]
    return table([*heads, "test_200 at 200"], rows)


def _seen(runs: Sequence[Run], place: int) -> float:
    """Mean regret in what the searches saw."""
    return _mean([next(iter(run.curves.values()))[place - 1] for run in runs])


def epochs(results: Mapping[str, Kept]) -> str:
    """Searches with and without rules of fidelity, by epochs spent and by the computed clock."""
    kept = results[EPOCHS]
    rows = []
    for name in kept.runs:
        cells = [f"`{name}`", str(len(kept.of(name)))]
        for place in PLACES[160]:
            found, apart = kept.missing(name, place), kept.apart(name, "random", place)
            pair = "" if apart is None else f" ({apart.mean:+.2f} ± {apart.half:.2f})"
            cells.append(f"{found.mean:.2f}{pair}")
        rows.append([*cells, f"{_mean([run.vectors for run in kept.of(name)]):.0f}"])
    heads = ["search", "seeds", *(f"{place * _FULL:,}" for place in PLACES[160]), "networks"]
    return table(heads, rows)


def clock(results: Mapping[str, Kept]) -> str:
    """The same at moments of the computed clock, as shares of the longest random search."""
    kept = results[EPOCHS]
    last = min(run.clock[-1] for name in kept.runs for run in kept.of(name))
    moments = [last * share for share in (0.125, 0.25, 0.5, 1.0)]
    rows = [
        [f"`{name}`", *(_at(kept.of(name), moment) for moment in moments)] for name in kept.runs
    ]
    return table(["search", *(f"{moment:.1f} s" for moment in moments)], rows)


def _at(runs: Sequence[Run], moment: float) -> str:
    return f"{_mean([missing_at(run, moment) for run in runs]):.2f}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def document(results: Mapping[str, Kept]) -> list[dict[str, Any]]:
    """All of it with curves, as plain values."""
    return [
        {
            "problem": kept.problem,
            "optimizers": [_curves(kept, name) for name in sorted(kept.runs)],
        }
        for _, kept in sorted(results.items())
    ]


def _curves(kept: Kept, name: str) -> dict[str, Any]:
    runs = kept.of(name)
    places = PLACES[runs[0].key.trials]
    (own,) = compare(runs, unit="points", baseline=name, marks=places).standings
    step = max(1, runs[0].key.trials // _POINTS)
    curves = {**own.curves, "by_network": own.by_network}
    against = {}
    for baseline in (*BASELINES, "random"):
        found = [(place, kept.apart(name, baseline, place)) for place in places]
        against[baseline] = [
            [place, each.mean, each.half, kept.word(name, baseline, place)]
            for place, each in found
            if each is not None
        ]
    whole: dict[str, Any] = _rounded(
        {
            "optimizer": name,
            "version": own.version,
            "seeds": own.seeds,
            "networks": own.networks,
            "wasted": own.wasted,
            "ask_ms": own.ask_ms,
            "every": step,
            "curves": {
                judge: [[each.mean, each.half] for each in curve[step - 1 :: step]]
                for judge, curve in curves.items()
                if curve
            },
            "against": {key: each for key, each in against.items() if each},
        }
    )
    return whole


def _rounded(value: Any) -> Any:
    """The same with four decimals of every number: what a reader can use."""
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


#: Part of a page to what makes it, and one of the problems that it needs.
PARTS: dict[tuple[Path, str], tuple[Callable[[Mapping[str, Kept]], str], str]] = {
    (PAGE, "bars"): (bars_table, "nasbench201/cifar10/direct"),
    (PAGE, "standings"): (all_standings, "nasbench201/cifar10/direct"),
    (PAGE, "front"): (front, FRONT),
    (PAGE, "early"): (early, "nasbench201/imagenet16/cheap"),
    (EPOCHS_PAGE, "epochs"): (epochs, EPOCHS),
    (EPOCHS_PAGE, "clock"): (clock, EPOCHS),
}


def main() -> None:
    """Print the parts, or write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    read = [Kept.read(file) for file in sorted(options.folder.glob("*.jsonl"))]
    results = {kept.problem: kept for kept in read if kept is not None}
    for (page, name), (make, needs) in PARTS.items():
        if needs not in results:
            continue
        content = make(results)
        print(f"{page.name}: {name}\n\n{content}\n")
        if options.write:
            page.write_text(put_between(page.read_text(), name, content, by=_BY))
    if options.write:
        DOCUMENT.write_text(json.dumps(document(results), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
