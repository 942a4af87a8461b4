"""What has ended in the runs of one process, counted once it is stored: for metrics."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from morphml.scheduling.failures import FailureKind
from morphml.search.changes import AttemptEnd, AttemptResult, TaskThen

#: Upper ends of the buckets of durations, in seconds: from a lookup to a day of training.
BUCKETS_S = (0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 86400)
_DONE = (AttemptResult.SUCCEEDED, AttemptResult.STOPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The counts at one moment; none of them ever falls."""

    #: Tasks that ended with a result.
    completed: int
    cancelled: int
    #: Tasks that failed for good, and attempts that are tried again, by kind of failure.
    failed: Mapping[str, int]
    retried: Mapping[str, int]
    #: Completed tasks that took no longer than each of ``BUCKETS_S``, and those that took longer.
    durations: tuple[int, ...]
    #: Seconds that all completed tasks took.
    duration_s: float


class Tally:
    """Counts ends of attempts. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._completed = 0
        self._cancelled = 0
        self._failed: Counter[str] = Counter()
        self._retried: Counter[str] = Counter()
        self._durations = [0] * (len(BUCKETS_S) + 1)
        self._duration_s = 0.0

    def count(self, ends: Iterable[AttemptEnd]) -> None:
        """Count ends that are stored now. Cost: O(ends)."""
        with self._lock:
            for end in ends:
                self._count(end)

    def _count(self, end: AttemptEnd) -> None:
        if end.then is TaskThen.RETRY:
            self._retried[_kind(end)] += 1
        elif end.result in _DONE and end.then is TaskThen.GONE:
            self._completed += 1
            self._duration_s += end.duration_s
            self._durations[bisect_left(BUCKETS_S, end.duration_s)] += 1
        elif end.result is AttemptResult.CANCELLED:
            self._cancelled += 1
        elif end.result in (AttemptResult.FAILED, AttemptResult.LOST):
            self._failed[_kind(end)] += 1

    def counts(self) -> Counts:
        """The counts now."""
        with self._lock:
            return Counts(
                completed=self._completed,
                cancelled=self._cancelled,
                failed=dict(self._failed),
                retried=dict(self._retried),
                durations=tuple(self._durations),
                duration_s=self._duration_s,
            )


def _kind(end: AttemptEnd) -> str:
    lost = FailureKind.LOST_WORKER.value
    return lost if end.failure is None else str(orjson.loads(end.failure)["kind"])
