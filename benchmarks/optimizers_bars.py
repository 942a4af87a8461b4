"""What was asked of the optimizers, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.bench_optimizers import REFERENCES
from benchmarks.kept_runs import Kept
from benchmarks.nasbench201_table import BUDGETS, DATA_SETS
from morphml.benchmarks import PEERS
from morphml.benchmarks.comparison import MARGIN
from morphml.benchmarks.statistics import interval, student

#: Who is to be better than the plain searches.
MODELS = ("bananas", "auto")
#: What a model may lack of the best plain search after the last budget, in points.
_WITHIN = 0.01
#: The best of the plain searches.
_BEST = "local_search"
#: Two standard errors.
_ERRORS = 2.0
#: Problems of which ``auto`` is judged beside evolution.
_JUDGED = ("nasbench201/", "digits-cells/", "synthetic/")
#: Share of the hypervolume after all evaluations.
_SHARES = {"nsga2": "0.985", "auto": "0.990", "random": "0.940 (reference)"}


def bars_table(results: Mapping[str, Kept]) -> str:
    """Every bar with its verdict, as Markdown."""
    direct = {
        published: results[f"nasbench201/{ours}/direct"]
        for published, ours in DATA_SETS.items()
        if f"nasbench201/{ours}/direct" in results
    }
    rows = [
        row
        for published, kept in direct.items()
        for row in (*_matches(published, kept), *_below(published, kept), *_beats(published, kept))
    ]
    rows += _never_worse(results)
    rows += _wasted(direct)
    lines = [
        "| asked | problem | seeds | 50 / 100 / 200 | verdict |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in sorted(rows, key=_order))])


def _order(row: Sequence[str]) -> str:
    return row[0]


def _matches(published: str, kept: Kept) -> Iterator[list[str]]:
    """A plain search is no more than two standard errors above its column."""
    for name, column in REFERENCES[published].items():
        if name not in kept.runs:
            continue
        seeds = len(kept.runs[name])
        figures, errors = [], []
        for place, reference in zip(BUDGETS, column, strict=True):
            found = kept.missing(name, place)
            error = found.half / student(seeds - 1)
            figures.append(f"{found.mean:.3f} (of {reference:.3f})")
            errors.append((found.mean - reference) / error if error else 0.0)
        worst = max(errors)
        word = "matches" if worst <= _ERRORS else f"worse by {worst:.1f} standard errors"
        asked = f"`{name}` matches its reference within 2 standard errors"
        yield [asked, published, str(seeds), " / ".join(figures), word]


def _below(published: str, kept: Kept) -> Iterator[list[str]]:
    """A model is below the best column, whose seeds nobody has."""
    best = REFERENCES[published][_BEST]
    for name in MODELS:
        if name not in kept.runs:
            continue
        found = [kept.missing(name, place) for place in BUDGETS]
        pairs = list(zip(found, best, strict=True))
        words = ["below" if each.high < column else "open" for each, column in pairs[:-1]]
        words.append(_at_last(found[-1].mean - best[-1]))
        figures = [f"{each.mean:.3f} ± {each.half:.3f} (of {column:.3f})" for each, column in pairs]
        asked = f"`{name}` is below the best reference at 50 and 100, within .01 at 200"
        yield [asked, published, str(len(kept.runs[name])), " / ".join(figures), " / ".join(words)]


def _at_last(apart: float) -> str:
    return "within .01" if apart <= _WITHIN else "more than .01"


def _beats(published: str, kept: Kept) -> Iterator[list[str]]:
    """A model beats the best plain search twice, and keeps up in the end."""
    for name in MODELS:
        found = [kept.apart(name, _BEST, place) for place in BUDGETS]
        ends = [each for each in found if each is not None]
        if len(ends) < len(BUDGETS):
            continue
        seeds = len(kept.runs[name].keys() & kept.runs[_BEST].keys())
        words = ["beats" if each.high < 0 else "open" for each in ends[:-1]]
        words.append(_at_last(ends[-1].mean))
        figures = [f"{each.mean:+.3f} ± {each.half:.3f}" for each in ends]
        asked = f"`{name}` beats our own `{_BEST}` at 50 and 100, is within .01 at 200 (paired)"
        yield [asked, published, str(seeds), " / ".join(figures), " / ".join(words)]


def _never_worse(results: Mapping[str, Kept]) -> Iterator[list[str]]:
    """``auto`` is never worse than regularized evolution."""
    for problem, kept in sorted(results.items()):
        if not problem.startswith(_JUDGED) or len(problem.split("/")) > 3:
            continue
        if not problem.endswith("/direct") and not problem.startswith("synthetic/"):
            continue
        found = [kept.apart("auto", "evolution", place) for place in BUDGETS]
        ends = [each for each in found if each is not None]
        if not ends:
            continue
        seeds = len(kept.runs["auto"].keys() & kept.runs["evolution"].keys())
        highest = " / ".join(f"{each.high:+.3f}" for each in ends)
        word = "never worse" if max(each.high for each in ends) <= MARGIN else "open"
        asked = "`auto` is never worse than `evolution`: upper ends of the intervals <= .02"
        yield [asked, f"`{problem}`", str(seeds), highest, word]


def _wasted(direct: Mapping[str, Kept]) -> Iterator[list[str]]:
    """No look-up goes to a known point."""
    for published, kept in direct.items():
        ours = [run for name in kept.runs if name not in PEERS for run in kept.of(name)]
        most = max(run.wasted for run in ours)
        asked = "no look-up wasted on a known point by any optimizer of ours"
        figures = f"at most {most} of 200 in {len(ours):,} searches"
        yield [asked, published, "", figures, "none" if most == 0 else "MISSED"]


def fronts_reached(kept: Kept, places: Sequence[int]) -> list[list[str]]:
    """The share of the exact front's hypervolume, best at the end on top."""
    rows = []
    for name in sorted(kept.runs, key=lambda each: kept.missing(each, places[-1]).mean):
        runs = kept.of(name)
        cells = [name, str(len(runs))]
        for place in places:
            found = kept.missing(name, place)
            cells.append(f"{1.0 - found.mean:.4f} ± {found.half:.4f}")
        apart = [run.curves["igd_plus"][-1] for run in runs if "igd_plus" in run.curves]
        distance = interval(apart) if apart else None
        cells.append("" if distance is None else f"{distance.mean:.4f} ± {distance.half:.4f}")
        rows.append([*cells, _SHARES.get(name, "")])
    return rows
