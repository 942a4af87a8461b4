"""Answers that many ask for: rendered once while what they show stays the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from morphml.clock import Clock
from morphml.master.workflows import ExecutionView

#: Seconds for which an answer serves; where a task stands changes without an event.
FRESH_S = 0.5
#: Executions whose answers are kept, the newest; each has some 250 bytes a job.
MOST = 16


class Rendered:
    """Whole executions as JSON, by what they were rendered from; for several threads.

    Args:
        clock: monotonic time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[ExecutionView, float, bytes]] = OrderedDict()
        self._lock = Lock()

    def of(self, seen: ExecutionView, render: Callable[[], bytes]) -> bytes:
        """The answer for an execution, which nothing has happened in since it was rendered.

        Args:
            seen: the execution now.
            render: makes the answer anew.
        """
        now = self._clock.monotonic()
        with self._lock:
            kept = self._kept.get(seen.id)
        if kept is not None and kept[0] == seen and now - kept[1] < FRESH_S:
            return kept[2]
        made = render()
        with self._lock:
            self._kept[seen.id] = (seen, now, made)
            self._kept.move_to_end(seen.id)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return made
