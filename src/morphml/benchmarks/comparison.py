"""Optimizers side by side: mean anytime regret, paired with a baseline, and what it took."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from morphml.benchmarks.run import Run
from morphml.benchmarks.statistics import Interval, holm, interval, signed_rank
from morphml.errors import CallerError

#: An optimizer is no worse than the baseline where the interval of the differences ends here at
#: most: points of accuracy, or what else a problem's results are measured in; shares of a
#: hypervolume have a hundredth of it.
MARGIN = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How an optimizer stands after so many evaluations."""

    evaluations: int
    #: What was missing, over the seeds.
    missing: Interval
    #: What was missing less what the baseline missed with the same seed; None for the baseline.
    apart: Interval | None
    #: Corrected p-value of the rank test against the baseline; None for the baseline.
    p: float | None

    @property
    def word(self) -> str:
        """``beats`` where the paired interval lies below 0, ``loses`` above, else nothing."""
        if self.apart is None:
            return ""
        return "beats" if self.apart.high < 0 else "loses" if self.apart.low > 0 else ""

    def verdict(self, margin: float) -> str:
        """The word, or ``no worse`` where the interval ends at ``margin`` at most, or ``open``."""
        if self.apart is None or self.word == "beats":
            return self.word
        return "no worse" if self.apart.high <= margin else self.word or "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One optimizer over all seeds; counts are means of one search."""

    optimizer: str
    version: str
    seeds: int
    marks: tuple[Mark, ...]
    evaluations: float
    vectors: float
    networks: float | None
    answered: float
    #: Evaluations of a decision vector that was evaluated before.
    wasted: float
    failed: float
    ask_ms: float
    #: Mean and half the 95 % interval of what was missing after each evaluation, by judge.
    curves: Mapping[str, tuple[Interval, ...]]
    #: The curve that counts, by evaluations of different networks; empty where there are none.
    by_network: tuple[Interval, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All optimizers on one problem."""

    problem: str
    #: What was missing is measured in, such as ``points``; ``share`` for a hypervolume.
    unit: str
    #: The judge that counts.
    verdict: str
    baseline: str
    trials: int
    seeds: int
    standings: tuple[Standing, ...]

    @property
    def margin(self) -> float:
        """What counts as no worse, in the unit."""
        return MARGIN / 100 if self.unit == "share" else MARGIN

    def document(self) -> dict[str, object]:
        """All of it as plain values for JSON; an infinite number is null."""
        return {
            "problem": self.problem,
            "unit": self.unit,
            "verdict": self.verdict,
            "baseline": self.baseline,
            "trials": self.trials,
            "seeds": self.seeds,
            "margin": self.margin,
            "optimizers": [_document(each, self.margin) for each in self.standings],
        }


def compare(
    runs: Sequence[Run], *, unit: str, baseline: str, marks: Sequence[int] | None = None
) -> Comparison:
    """The comparison of runs of one problem with the same seeds and trials.

    Args:
        runs: at least one; every optimizer has the same seeds.
        unit: of what is missing.
        baseline: the optimizer that all others are paired with, seed by seed.
        marks: evaluations at which they are judged; a quarter, half and all of the trials by
            default. The rank tests of all optimizers and marks are corrected together.

    Raises:
        CallerError: the baseline is not among them, or a mark is out of range.
    """
    by_name: dict[str, list[Run]] = {}
    for run in runs:
        by_name.setdefault(run.key.optimizer, []).append(run)
    if baseline not in by_name:
        raise CallerError(f"the baseline {baseline!r} is not among {', '.join(by_name)}")
    trials = runs[0].key.trials
    places = sorted(set(marks or (max(1, trials // 4), max(1, trials // 2), trials)))
    if not 1 <= places[0] <= places[-1] <= trials:
        raise CallerError(f"marks: from 1 to {trials}, got {places}")
    p_values = _p_values(by_name, baseline, places)
    standings = [
        _standing(mine, by_name[baseline], places, p_values.get(name))
        for name, mine in by_name.items()
    ]
    return Comparison(
        problem=runs[0].key.problem,
        unit=unit,
        verdict=list(runs[0].curves)[-1],
        baseline=baseline,
        trials=trials,
        seeds=len(by_name[baseline]),
        standings=tuple(standings),
    )


def missing_after(curve: Sequence[float], evaluations: int) -> float:
    """What is missing after so many evaluations; a search that ran dry keeps its last value."""
    return curve[min(evaluations, len(curve)) - 1]


def _p_values(
    by_name: Mapping[str, Sequence[Run]], baseline: str, places: Sequence[int]
) -> dict[str, list[float]]:
    others = [name for name in by_name if name != baseline]
    raw = [
        signed_rank(_differences(by_name[name], by_name[baseline], place))
        for name in others
        for place in places
    ]
    corrected = holm(raw)
    width = len(places)
    return {name: corrected[n * width : (n + 1) * width] for n, name in enumerate(others)}


def _differences(mine: Sequence[Run], baseline: Sequence[Run], place: int) -> list[float]:
    theirs = {run.key.seed: missing_after(run.verdict, place) for run in baseline}
    differences = []
    for run in mine:
        ours, other = missing_after(run.verdict, place), theirs[run.key.seed]
        differences.append(0.0 if ours == other else ours - other)
    return differences


def _standing(
    mine: Sequence[Run], baseline: Sequence[Run], places: Sequence[int], p: list[float] | None
) -> Standing:
    marks = [
        Mark(
            evaluations=place,
            missing=interval([missing_after(run.verdict, place) for run in mine]),
            apart=None if p is None else interval(_differences(mine, baseline, place)),
            p=None if p is None else p[column],
        )
        for column, place in enumerate(places)
    ]
    networks = [run.networks for run in mine if run.networks is not None]
    return Standing(
        optimizer=mine[0].key.optimizer,
        version=mine[0].key.version,
        seeds=len(mine),
        marks=tuple(marks),
        evaluations=_mean([run.evaluations for run in mine]),
        vectors=_mean([run.vectors for run in mine]),
        networks=_mean(networks) if networks else None,
        answered=_mean([run.answered for run in mine]),
        wasted=_mean([run.wasted for run in mine]),
        failed=_mean([run.failed for run in mine]),
        ask_ms=_mean([run.ask_ms for run in mine]),
        curves={name: _curve([run.curves[name] for run in mine]) for name in mine[0].curves},
        by_network=_curve([run.by_network for run in mine]),
    )


def _curve(curves: Sequence[Sequence[float]]) -> tuple[Interval, ...]:
    longest = max(len(curve) for curve in curves) if all(curves) else 0
    return tuple(
        interval([missing_after(curve, place) for curve in curves])
        for place in range(1, longest + 1)
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _document(standing: Standing, margin: float) -> dict[str, object]:
    return {
        "optimizer": standing.optimizer,
        "version": standing.version,
        "seeds": standing.seeds,
        "marks": [
            {
                "evaluations": mark.evaluations,
                "missing": _pair(mark.missing),
                "against_baseline": None if mark.apart is None else _pair(mark.apart),
                "p": mark.p,
                "word": mark.word,
                "verdict": mark.verdict(margin),
            }
            for mark in standing.marks
        ],
        "evaluations": standing.evaluations,
        "unique_vectors": standing.vectors,
        "unique_networks": standing.networks,
        "answered": standing.answered,
        "wasted": standing.wasted,
        "failed": standing.failed,
        "ask_ms": standing.ask_ms,
        "curves": {
            name: [_pair(each) for each in curve] for name, curve in standing.curves.items()
        },
        "by_network": [_pair(each) for each in standing.by_network],
    }


def _pair(given: Interval) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in (given.mean, given.half)]
