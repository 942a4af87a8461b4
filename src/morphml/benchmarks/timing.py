"""What optimizers miss at moments of a computed clock, as means over seeds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from morphml.benchmarks.run import Run
from morphml.benchmarks.statistics import Interval, interval
from morphml.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedCurves:
    """All optimizers at the same moments."""

    #: Simulated seconds, rising.
    seconds: tuple[float, ...]
    #: Optimizer to what was missing at each moment; infinite where a search had nothing yet.
    curves: Mapping[str, tuple[Interval, ...]]


def by_time(runs: Sequence[Run], moments: int = 100) -> TimedCurves:
    """What was missing at equally spaced moments up to the end of the longest search.

    Args:
        runs: of one problem with workers.
        moments: how many; at least 1.

    Raises:
        CallerError: a run has no clock.
    """
    if not runs or any(not run.clock for run in runs):
        raise CallerError("no clock was computed: only searches by several workers have one")
    last = max(run.clock[-1] for run in runs)
    seconds = tuple(last * place / moments for place in range(1, moments + 1))
    by_name: dict[str, list[Run]] = {}
    for run in runs:
        by_name.setdefault(run.key.optimizer, []).append(run)
    curves = {
        name: tuple(interval([missing_at(run, moment) for run in mine]) for moment in seconds)
        for name, mine in by_name.items()
    }
    return TimedCurves(seconds=seconds, curves=curves)


def missing_at(run: Run, seconds: float) -> float:
    """What was missing at a moment; infinite before the first evaluation was over."""
    place = bisect_right(run.clock, seconds)
    return run.verdict[place - 1] if place else float("inf")
