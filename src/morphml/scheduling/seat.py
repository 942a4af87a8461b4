"""A worker as policies see it, and how much may be queued there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from morphml.scheduling.resources import Holdings, Requirements

#: Smallest first; all keys of one policy have the same length.
Key: TypeAlias = tuple[float, ...]


@dataclass(slots=True, eq=False)
class Seat:
    """A worker, as policies see it: they read it, the fleet alone writes it."""

    id: str
    #: What people call it; attempts avoid workers by name.
    name: str
    #: Attempts that it can run at once; >= 1.
    slots: int
    holdings: Holdings
    #: It was the so many-th to come, from 1.
    joined: int
    #: Attempts that lie there, queued ones too.
    busy: int = 0
    #: Number of the last placement that went there, from 1; 0 for none.
    turn: int = 0
    #: Whether it may be sent anything now.
    open: bool = True
    #: Whether more may be queued there than it can run at once, until so much is.
    filling: bool = True
    #: The needs of the gang that it is kept for.
    kept_for: Requirements | None = None
    #: Number of the heap entries that count; 0 once it left.
    version: int = 0

    @property
    def share(self) -> float:
        """The used share of its slots."""
        return self.busy / self.slots

    @property
    def free(self) -> int:
        """Slots that nothing lies on, of a worker that may be sent something."""
        return max(0, self.slots - self.busy) if self.open else 0

    def has_room(self, needs: Requirements) -> bool:
        """Whether it could start such an attempt now."""
        return bool(self.free) and self.kept_for is None and self.holdings.fits(needs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """How many attempts a worker may be sent beyond its slots, so that it need not wait for more.

    Long tasks are better kept for the slot that is free first, so only short ones go ahead.
    """

    #: The least and the most that goes ahead of short tasks, as shares of a worker's slots.
    least: float = 0.0
    most: float = 0.0
    #: Between the two: seconds of work for each slot.
    seconds: float = 0.0
    #: Seconds that tasks of an experiment take on average, below which they are short.
    below_s: float = 0.2
    #: Nothing more goes ahead until so small a share lies ahead; then it is filled up at once.
    refill: float = math.inf

    def share(self, mean_s: float | None) -> float:
        """What goes ahead where tasks take so long on average; None while that is not known."""
        top = max(self.least, self.most)
        if not top or mean_s is None or mean_s >= self.below_s:
            return 0.0
        return max(self.least, min(self.seconds / mean_s if mean_s > 0.0 else top, top))

    def limit(self, seat: Seat) -> int:
        """Attempts that may lie at the worker, however short they are."""
        return most_at(seat, max(self.least, self.most))

    def is_due(self, seat: Seat) -> bool:
        """Whether so little lies ahead that more is to be sent."""
        return seat.busy - seat.slots <= self.refill * seat.slots


#: Nothing goes ahead.
NOTHING_AHEAD = Ahead()


def is_avoided(name: str, avoid: Iterable[str]) -> bool:
    """Whether a worker of this name, or a slot of it, is among those to avoid."""
    return any(each == name or each.startswith(f"{name}/") for each in avoid)


def most_at(seat: Seat, share: float) -> int:
    """Attempts that may lie at a worker when such a share of its slots may be queued there."""
    return seat.slots + math.ceil(share * seat.slots)
