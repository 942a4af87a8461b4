"""How long the first tasks of an experiment wait for workers that load it. No clock in here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

#: When half of the workers are ready, the others get so many times as long as those took.
_LONGER = 3.0
#: Seconds that every worker gets, however fast the others are.
_LEAST_S = 1.0


class Readiness:
    """The workers that get ready for one experiment. Times are monotonic seconds.

    The wait ends when all are ready. It ends also without those that take several times as long as
    the faster half did, so that one that is stuck holds nobody up, and at last after ``most_s``.

    Args:
        workers: whom to wait for, at least one.
        most_s: seconds that the wait may take.
        now: when they were told.
    """

    def __init__(self, workers: Iterable[str], most_s: float, now: float) -> None:
        self._awaited = set(workers)
        self._count = len(self._awaited)
        self._ready = 0
        self._since = now
        self._until = now + most_s

    def ready(self, worker: str, now: float) -> None:
        """The worker is ready; one that nobody waits for does not count."""
        if worker not in self._awaited:
            return
        self._awaited.discard(worker)
        self._ready += 1
        if 2 * self._ready >= self._count and 2 * (self._ready - 1) < self._count:
            patience = max(_LEAST_S, _LONGER * (now - self._since))
            self._until = min(self._until, self._since + patience)

    def keep(self, present: Callable[[str], bool]) -> None:
        """Wait no more for workers that are not present."""
        self._awaited = {worker for worker in self._awaited if present(worker)}

    def over(self, now: float) -> bool:
        """Whether tasks may be sent."""
        return not self._awaited or now >= self._until

    def story(self, now: float) -> str:
        """What the wait has come to, for people."""
        took = now - self._since
        return f"{self._ready} of {self._count} workers are ready for it after {took:.2f} s"
