"""Shows Ray the slots that are wanted and not there, so that a cluster that can grow does."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

#: Slots that are asked for at a time; when these are there, more are asked for.
MOST = 64
#: Seconds without asking after a wish was granted: the room is there, and is being used.
PAUSE_S = 5.0


class Wished(Protocol):
    """Room for one slot that somebody waits for."""

    @property
    def granted(self) -> bool:
        """Whether there was room."""
        ...

    def withdraw(self) -> None:
        """Wait no more."""
        ...


class Demand:
    """As many wishes as slots are missing, up to ``MOST``.

    Args:
        ask: makes a wish.
    """

    def __init__(self, ask: Callable[[], Wished]) -> None:
        self._ask = ask
        self._wishes: list[Wished] = []
        self._quiet_until = -math.inf

    @property
    def waiting(self) -> int:
        """Wishes that are not granted."""
        return len(self._wishes)

    def rest(self, now: float) -> None:
        """Ask for nothing for a while: a node has come, and is for workers, not for wishes."""
        self._quiet_until = now + PAUSE_S
        while self._wishes:
            self._wishes.pop().withdraw()

    def show(self, missing: float, now: float) -> None:
        """Have so many slots asked for.

        Args:
            missing: wanted and not there; infinite where nobody said how many, which asks for none.
            now: monotonic seconds.
        """
        granted = [each for each in self._wishes if each.granted]
        if granted:
            self._quiet_until = now + PAUSE_S
            self._wishes = [each for each in self._wishes if each not in granted]
        wanted = 0 if math.isinf(missing) else max(0, min(int(missing), MOST))
        while len(self._wishes) > wanted:
            self._wishes.pop().withdraw()
        if now >= self._quiet_until:
            self._wishes += [self._ask() for _ in range(wanted - len(self._wishes))]
