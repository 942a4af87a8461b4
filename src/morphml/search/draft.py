"""What the machine wants stored, gathered until the driver takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from morphml.search.changes import NewResult, NewTrial, TrialUpdate
from morphml.search.log import LogEntry


class Draft(NamedTuple):
    """What the machine wants stored since the last drain."""

    entries: tuple[LogEntry, ...]
    trials: tuple[NewTrial, ...]
    updates: tuple[TrialUpdate, ...]
    #: For later experiments; empty where the search shares nothing.
    results: tuple[NewResult, ...] = ()


@dataclass(slots=True)
class Drafting:
    """A draft in the making."""

    entries: list[LogEntry] = field(default_factory=list)
    trials: list[NewTrial] = field(default_factory=list)
    updates: list[TrialUpdate] = field(default_factory=list)
    results: list[NewResult] = field(default_factory=list)

    def done(self) -> Draft:
        """The draft as it stands."""
        return Draft(
            tuple(self.entries), tuple(self.trials), tuple(self.updates), tuple(self.results)
        )
