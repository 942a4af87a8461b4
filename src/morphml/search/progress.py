"""What a running search shows, as a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from morphml.search.fidelity.contract import RungCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a search."""

    #: Name of the experiment.
    name: str
    #: Numbers taken, and how many may be.
    taken: int
    budget: int
    #: Trials by state.
    counts: Mapping[str, int] = field(default_factory=dict)
    #: Duplicate and rejected proposals.
    duplicates: int = 0
    rejections: int = 0
    #: Proposals answered with results of other experiments.
    reused: int = 0
    #: Attempts that run, and how many could.
    busy: int = 0
    slots: int = 0
    #: The most that could at one time in this run; with fewer slots the search goes on slower.
    most_slots: int = 0
    #: The first objective: its name, and its best value so far with the trial that reached it;
    #: a number below 0 is a result of another experiment.
    objective: str = ""
    best_value: float | None = None
    best_number: int | None = None
    #: Seconds since this run began.
    elapsed_s: float = 0.0
    #: Trials that ended in this run.
    ended: int = 0
    #: Why the search ended, or "" while it runs.
    reason: str = ""
    #: The rungs, lowest first; none where every trial is a full one.
    rungs: Sequence[RungCount] = ()
    #: What its trials need and no worker has, so that none can run; "" while some worker can.
    waits_for: str = ""

    @property
    def rate(self) -> float:
        """Trials per second in this run."""
        return self.ended / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def remaining_s(self) -> float | None:
        """Seconds left at this rate, or None before the first trial ended."""
        if self.rate == 0:
            return None
        done = self.taken - self.counts.get("pending", 0) - self.counts.get("paused", 0)
        return max(self.budget - done, 0) / self.rate


#: Called some times a second, and once at the end.
Observer: TypeAlias = Callable[[Progress], None]
