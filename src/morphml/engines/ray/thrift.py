"""Which workers give their nodes back. No clock in here: times are handed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A worker at one moment."""

    name: str
    slots: int
    #: Attempts that run or wait there.
    busy: int


class Thrift:
    """Remembers since when each worker has done nothing.

    Args:
        idle_s: seconds that one must have done nothing.
    """

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        #: Monotonic seconds.
        self._since: dict[str, float] = {}

    def spare(self, workers: Iterable[Seen], wanted: float, now: float) -> list[str]:
        """Those that are let go: idle for long, and so many slots stay as are wanted.

        Args:
            workers: all that are there.
            wanted: slots of use now.
            now: monotonic seconds.
        """
        there = list(workers)
        self._since = {w.name: self._since.get(w.name, now) for w in there if not w.busy}
        surplus = sum(w.slots for w in there) - wanted
        found = []
        for worker in sorted(there, key=lambda w: self._since.get(w.name, now)):
            since = self._since.get(worker.name)
            if since is not None and now - since >= self._idle_s and worker.slots <= surplus:
                surplus -= worker.slots
                found.append(worker.name)
        return found
