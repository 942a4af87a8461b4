"""Figures of the queue, asked once a second however many ask here."""

from __future__ import annotations

from threading import Lock

from morphml.clock import Clock
from morphml.master.workflows import Executions, QueueStats

#: Seconds for which an answer is shared.
FRESH_S = 1.0


class SharedStats:
    """The queue's figures, at most a second old; may be used from several threads.

    Args:
        executions: has the queue.
        clock: monotonic time.
    """

    def __init__(self, executions: Executions, clock: Clock) -> None:
        self._executions = executions
        self._clock = clock
        self._known: tuple[float, QueueStats] | None = None
        self._lock = Lock()

    def now(self) -> QueueStats:
        """The figures.

        Raises:
            StorageError: when the store cannot be asked.
        """
        with self._lock:
            moment = self._clock.monotonic()
            if self._known is None or moment - self._known[0] >= FRESH_S:
                self._known = (moment, self._executions.queue.stats())
            return self._known[1]

    def forget(self) -> None:
        """Ask anew next time: something was changed here."""
        with self._lock:
            self._known = None
