"""What any master does for executions now and then: their searches, and forgetting old ones."""

from __future__ import annotations

import math
from pathlib import Path

from morphml.clock import Clock
from morphml.master.workflows.queue import Queue
from morphml.master.workflows.searches import Searches
from morphml.storage import SqlStore

#: Seconds between two looks for old ones.
CLEAN_EVERY_S = 600.0


class Housekeeping:
    """Does what is due; several masters at once do no harm.

    Args:
        store: the truth.
        clock: monotonic time.
        folder: of the files of all executions that lie here.
        kept_s: seconds for which an execution is kept after its end, >= 0.
    """

    def __init__(self, store: SqlStore, clock: Clock, folder: Path, kept_s: float) -> None:
        self._clock = clock
        self._searches = Searches(store)
        self._queue = Queue(store, folder)
        self._kept_s = kept_s
        self._cleaned_at = -math.inf

    def step(self) -> None:
        """Look once, about once a second.

        Raises:
            StorageError: when the store cannot be asked.
        """
        self._searches.step()
        now = self._clock.monotonic()
        if now - self._cleaned_at >= CLEAN_EVERY_S:
            self._cleaned_at = now
            self._queue.clean(self._kept_s)
