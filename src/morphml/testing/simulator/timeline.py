"""A virtual clock and what is to happen on it: time goes from one event to the next at once."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TypeAlias

#: What happens: a function of one argument, and that argument.
Action: TypeAlias = Callable[[int], None]


class Timeline:
    """Virtual time in seconds from 0, and the events to come in the order of their times.

    Events of one time happen in the order in which they were planned, so the same plan gives the
    same course. It tells the time as any ``morphml.clock.Clock``.

    >>> timeline = Timeline()
    >>> timeline.after(2.0, lambda number: print(number, timeline.monotonic()), 7)
    >>> timeline.happen()
    7 2.0
    True
    >>> timeline.happen()
    False
    """

    def __init__(self) -> None:
        self._at = 0.0
        #: Events that were planned so far.
        self.planned = 0
        self._heap: list[tuple[float, int, Action, int]] = []
        #: Seconds by which the wall clock is ahead of the truth.
        self.skew_s = 0.0

    def now(self) -> float:
        """Seconds of the wall clock; jumps when ``skew_s`` is set."""
        return self._at + self.skew_s

    def monotonic(self) -> float:
        """Seconds since the beginning; never goes back."""
        return self._at

    def after(self, seconds: float, action: Action, number: int) -> None:
        """Plan that ``action(number)`` happens ``seconds`` >= 0 from now. Cost: O(log events).

        Raises:
            ValueError: ``seconds`` is below 0 or no number.
        """
        if not seconds >= 0.0:
            raise ValueError(f"an event happens in seconds >= 0 from now, got {seconds}")
        self.planned += 1
        heappush(self._heap, (self._at + seconds, self.planned, action, number))

    def happen(self) -> bool:
        """Let time go to the next event and let it happen; False when none is left."""
        if not self._heap:
            return False
        self._at, _, action, number = heappop(self._heap)
        action(number)
        return True
