"""Searches that a folder holds, paired by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from morphml.benchmarks import Run
from morphml.benchmarks.campaign import kept
from morphml.benchmarks.comparison import MARGIN, Mark, missing_after
from morphml.benchmarks.statistics import Interval, interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All searches of one problem: optimizer to seed to search."""

    problem: str
    runs: dict[str, dict[int, Run]]

    @classmethod
    def read(cls, file: Path) -> Kept | None:
        """Those in a file of results; None where it holds none.

        The last line of an optimizer says which version of it and of the data counts: searches of
        older ones stay in the file, and are left out.
        """
        lines = list(kept(file))
        if not lines:
            return None
        newest = {run.key.optimizer: (run.key.version, run.key.data) for run in lines}
        runs: dict[str, dict[int, Run]] = {}
        for run in lines:
            if newest[run.key.optimizer] == (run.key.version, run.key.data):
                runs.setdefault(run.key.optimizer, {})[run.key.seed] = run
        return cls(problem=lines[0].key.problem, runs=runs)

    def of(self, optimizer: str) -> list[Run]:
        """Its searches by seed."""
        return [run for _, run in sorted(self.runs[optimizer].items())]

    def missing(self, optimizer: str, place: int) -> Interval:
        """What was missing after so many evaluations, over all of its seeds."""
        return interval([missing_after(run.verdict, place) for run in self.of(optimizer)])

    def missing_by_network(self, optimizer: str, place: int) -> Interval | None:
        """The same after evaluations of so many different networks; None where there are none."""
        curves = [run.by_network for run in self.of(optimizer)]
        if not all(curves):
            return None
        return interval([missing_after(curve, place) for curve in curves])

    def apart(self, optimizer: str, baseline: str, place: int) -> Interval | None:
        """What was missing less what the baseline missed with the same seed.

        None where either has no search, or no seed is shared.
        """
        mine, theirs = self.runs.get(optimizer, {}), self.runs.get(baseline, {})
        shared = sorted(mine.keys() & theirs.keys())
        if not shared or optimizer == baseline:
            return None
        pairs = [(mine[seed].verdict, theirs[seed].verdict) for seed in shared]
        return interval([missing_after(a, place) - missing_after(b, place) for a, b in pairs])

    def word(self, optimizer: str, baseline: str, place: int, margin: float = MARGIN) -> str:
        """``beats``, ``no worse``, ``loses`` or ``open``; empty where they cannot be compared."""
        apart = self.apart(optimizer, baseline, place)
        mark = Mark(evaluations=place, missing=self.missing(optimizer, place), apart=apart, p=None)
        return mark.verdict(margin)

    def words(self, optimizer: str, baseline: str, places: Sequence[int]) -> str:
        """The words after several budgets, as one cell of a table."""
        found = [self.word(optimizer, baseline, place) for place in places]
        return " / ".join(found) if any(found) else ""
