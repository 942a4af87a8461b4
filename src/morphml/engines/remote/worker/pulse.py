"""When a worker beats: whatever it says counts as a beat, but only a beat shows what is here."""

from __future__ import annotations

import math

#: A beat comes at least every so many times the seconds that a master lets pass between two.
_LISTS = 2


class Pulse:
    """The beats of one worker; times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._beat_s = math.inf
        #: When a beat comes where nothing else is said; infinity without a master.
        self._next = math.inf

    def welcomed(self, beat_s: float, now: float) -> None:
        """A master listens, and wants a sign of life after so many seconds; the first at once."""
        self._beat_s, self._next = beat_s, now

    def broke(self) -> None:
        """Nobody listens."""
        self._next = math.inf

    def beat(self, now: float) -> None:
        """A beat goes out."""
        self._next = now + self._beat_s

    def due(self, said_at: float) -> float:
        """When a beat is due; infinity without a master.

        Args:
            said_at: when something was said last to this master; minus infinity for never.
        """
        latest = self._next + (_LISTS - 1) * self._beat_s
        return min(max(self._next, said_at + self._beat_s), latest)
