"""Keeps the limits of attempts: time, memory, and patience while an experiment loads."""

from __future__ import annotations

import math
from collections.abc import Collection

from morphml.engines.local.attempt import Patience
from morphml.engines.local.handle import ChildHandle
from morphml.engines.local.lessons import Lessons
from morphml.engines.local.memory import end_overweight
from morphml.engines.local.pool import Pool


class Limits:
    """Ends what takes too long or too much.

    Args:
        pool: of the children.
        lessons: knows how long children have been loading.
        patience: how long is too long.
    """

    def __init__(self, pool: Pool, lessons: Lessons, patience: Patience) -> None:
        self._pool = pool
        self._lessons = lessons
        self._patience = patience
        self._weigh_at = 0.0

    def keep(
        self, busy: Collection[ChildHandle], idle: dict[int, ChildHandle], now: float
    ) -> float:
        """Enforce the limits; returns when to do so again, by the same clock as ``now``.

        Args:
            busy: children with an attempt.
            idle: free children by slot; those that load for too long are taken out.
            now: seconds of a monotonic clock.
        """
        due = math.inf
        weighed = False
        for child in busy:
            attempt = child.attempt
            assert attempt is not None
            while (sig := attempt.tick(now)) is not None:
                child.kill(sig)
            due = min(due, attempt.due)
            weighed = weighed or attempt.assignment.memory_limit_bytes is not None
        for child in list(idle.values()):
            if child.loading and self._lessons.overdue(child, now):
                del idle[child.slot]
                self._pool.condemn(child, "an experiment took too long to load")
            elif child.loading:
                due = min(due, now + self._patience.setup_s)
        if not weighed:
            return due
        if now >= self._weigh_at:
            self._weigh_at = now + self._patience.memory_s
            end_overweight(busy, now)
        return min(due, self._weigh_at)
