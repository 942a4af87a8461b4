"""A clock that stands still until it is told to go on."""

from __future__ import annotations


class FakeClock:
    """Time as a test wants it; starts at ``now`` seconds since the Unix epoch.

    >>> clock = FakeClock(now=100.0)
    >>> clock.advance(2.5)
    >>> clock.now(), clock.monotonic()
    (102.5, 2.5)
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> float:
        """Seconds since the Unix epoch (UTC)."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the clock was made; never goes back."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` >= 0 go by on both.

        Raises:
            ValueError: time cannot go back.
        """
        if seconds < 0:
            raise ValueError(f"a clock advances by seconds >= 0, got {seconds}")
        self._now += seconds
        self._monotonic += seconds
