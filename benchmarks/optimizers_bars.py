"""What was asked of the optimizers, beside what was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

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
JUDGED = (
    *(f"nasbench201/{ours}/direct" for ours in DATA_SETS.values()),
    "digits-cells/digits/direct",
    "synthetic/cell",
    "synthetic/cnn",
)
#: Share of the hypervolume after all evaluations.
_SHARES = {"nsga2": 0.985, "auto": 0.99}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One bar of one optimizer on one problem."""

    optimizer: str
    problem: str
    seeds: int
    #: After each budget.
    figures: tuple[str, ...]
    word: str

    def row(self) -> str:
        """As Markdown has it."""
        cells = [self.optimizer, self.problem, str(self.seeds), " / ".join(self.figures)]
        return f"| {' | '.join([*cells, self.word])} |"


def verdicts(results: Mapping[str, Kept]) -> dict[str, list[Verdict]]:
    """What was asked to what was found."""
    direct = {
        published: results[f"nasbench201/{ours}/direct"]
        for published, ours in DATA_SETS.items()
        if f"nasbench201/{ours}/direct" in results
    }
    asked: dict[str, Callable[[str, Kept], Iterator[Verdict]]] = {
        "Plain searches match their references (in brackets) within two standard errors": _matches,
        "Models are below the best reference at 50 and 100, and within 0.01 of it at 200 (not "
        "paired, for nobody has the reference's curves by seed: its mean is taken to be as "
        "uncertain as that of our own `local_search`)": _below,
        "Models beat our own `local_search`, which is better than the reference, at 50 and 100, "
        "and are within 0.01 of it at 200 (paired by seed)": _beats,
        "No look-up is wasted on a known point by any optimizer of ours": _wasted,
    }
    found = {
        sentence: [one for name, kept in direct.items() for one in judge(name, kept)]
        for sentence, judge in asked.items()
    }
    found[
        "`auto` is never worse than `evolution`: the intervals of the paired differences end at "
        "0.02 at most (upper ends)"
    ] = list(_never_worse(results))
    return found


def bars_table(results: Mapping[str, Kept]) -> str:
    """Every bar with its verdicts, as Markdown."""
    heads = "| optimizer | problem | seeds | 50 / 100 / 200 | verdict |\n" + "|---" * 5 + "|"
    return "\n\n".join(
        "\n".join([f"{sentence}:\n", heads, *(one.row() for one in rows)])
        for sentence, rows in verdicts(results).items()
        if rows
    )


def _matches(published: str, kept: Kept) -> Iterator[Verdict]:
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
        yield _verdict(name, published, seeds, figures, word)


def _below(published: str, kept: Kept) -> Iterator[Verdict]:
    """A model is below the best column, whose seeds nobody has: both means are uncertain."""
    best = REFERENCES[published][_BEST]
    if _BEST not in kept.runs:
        return
    plain = [kept.missing(_BEST, place).half for place in BUDGETS]
    for name in MODELS:
        if name not in kept.runs:
            continue
        found = [kept.missing(name, place) for place in BUDGETS]
        figures, words = [], []
        for each, column, unsure in zip(found, best, plain, strict=True):
            apart, half = each.mean - column, math.hypot(each.half, unsure)
            figures.append(f"{each.mean:.3f} (of {column:.3f}: {apart:+.3f} ± {half:.3f})")
            words.append("below" if apart + half < 0 else "open")
        words[-1] = _at_last(found[-1].mean - best[-1])
        yield _verdict(name, published, len(kept.runs[name]), figures, " / ".join(words))


def _at_last(apart: float) -> str:
    return "within 0.01" if apart <= _WITHIN else "more than 0.01"


def _beats(published: str, kept: Kept) -> Iterator[Verdict]:
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
        yield _verdict(name, published, seeds, figures, " / ".join(words))


def _never_worse(results: Mapping[str, Kept]) -> Iterator[Verdict]:
    """``auto`` is never worse than regularized evolution."""
    for problem in (name for name in JUDGED if name in results):
        kept = results[problem]
        found = [kept.apart("auto", "evolution", place) for place in BUDGETS]
        ends = [each for each in found if each is not None]
        if not ends:
            continue
        seeds = len(kept.runs["auto"].keys() & kept.runs["evolution"].keys())
        highest = [f"{each.high:+.3f}" for each in ends]
        word = "never worse" if max(each.high for each in ends) <= MARGIN else "open"
        word = "WORSE" if max(each.low for each in ends) > MARGIN else word
        yield _verdict("auto", f"`{problem}`", seeds, highest, word)


def _wasted(published: str, kept: Kept) -> Iterator[Verdict]:
    """No look-up goes to a known point."""
    ours = [run for name in kept.runs if name not in PEERS for run in kept.of(name)]
    most = max(run.wasted for run in ours)
    figures = [f"at most {most} of {max(BUDGETS)} in {len(ours):,} searches"]
    seeds = max(len(each) for each in kept.runs.values())
    yield _verdict("all", published, seeds, figures, "none" if most == 0 else "MISSED")


def _verdict(
    optimizer: str, problem: str, seeds: int, figures: Sequence[str], word: str
) -> Verdict:
    return Verdict(
        optimizer=optimizer, problem=problem, seeds=seeds, figures=tuple(figures), word=word
    )


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
        share, bar = 1.0 - kept.missing(name, places[-1]).mean, _SHARES.get(name)
        word = "met" if bar is not None and share >= bar else "MISSED"
        rows.append([*cells, "" if bar is None else f"{bar:.3f}: {word}"])
    return rows
