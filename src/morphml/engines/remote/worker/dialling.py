"""Which master to dial next, and when. No connection or clock in here."""

from __future__ import annotations

import random
from collections.abc import Iterable

#: Seconds of pauses that do not grow: a master gives up what a worker runs 3 s after a break.
_EAGER_S = 5.0


class Dialling:
    """Goes round the masters; a round in which none took the worker is followed by a pause.

    In the first 5 s the pauses do not grow, so that a short cut of the network costs no attempt;
    from then on each is twice the one before.

    Args:
        masters: as the operator named them, ``host:port``.
        backoff_s: the first and the longest pause in seconds.
        rng: draws each pause from 50 to 150 % of its length, so that workers come back spread out.
    """

    def __init__(
        self, masters: Iterable[str], backoff_s: tuple[float, float], rng: random.Random
    ) -> None:
        self._own = tuple(dict.fromkeys(masters))
        self._learned: tuple[str, ...] = ()
        self._backoff_s = backoff_s
        self._rng = rng
        self._left: list[str] = list(self._own)
        self._begin()
        self._refusals: dict[str, str] = {}

    @property
    def masters(self) -> tuple[str, ...]:
        """All that are known, the operator's own first."""
        return tuple(dict.fromkeys((*self._own, *self._learned)))

    def next(self) -> tuple[str, float]:
        """The next master, and the pause in seconds before it is dialled."""
        if self._left:
            return self._left.pop(0), 0.0
        self._left = list(self.masters)
        return self._left.pop(0), self._next_pause() * self._rng.uniform(0.5, 1.5)

    def welcomed(self, master: str, others: Iterable[str]) -> None:
        """A master took the worker and named others; a break starts a new round after it."""
        self._learned = tuple(others)
        self._begin()
        self._refusals.pop(master, None)
        known = list(self.masters)
        at = known.index(master) + 1 if master in known else 0
        self._left = known[at:] + known[:at]

    def learned(self, others: Iterable[str]) -> None:
        """The master that took the worker names others than before; those are dialled after it."""
        before, self._learned = self.masters, tuple(others)
        new = [master for master in self._learned if master not in before]
        self._left = [*new, *(master for master in self._left if master in self.masters)]

    def _begin(self) -> None:
        """The next pause is the first."""
        self._pause, self._paused_s = self._backoff_s[0], 0.0

    def _next_pause(self) -> float:
        """The mean of the next pause, in seconds."""
        pause = self._pause
        self._paused_s += pause
        if self._paused_s >= _EAGER_S:
            self._pause = min(2.0 * pause, self._backoff_s[1])
        return pause

    def refused(self, master: str, reason: str) -> None:
        """A master will not take the worker as it is."""
        self._refusals[master] = reason

    def failed(self, master: str) -> None:
        """A master was not reached; it may be another one when it comes back."""
        self._refusals.pop(master, None)

    @property
    def hopeless(self) -> str:
        """Why no master will ever take the worker; "" while one may."""
        if all(master in self._refusals for master in self.masters):
            return "; ".join(dict.fromkeys(self._refusals.values()))
        return ""
