"""The queue of all jobs, as people and programs see and set it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from morphml.ids import ExperimentId
from morphml.master.workflows.files import forget_files
from morphml.master.workflows.views import QueueStats
from morphml.storage import SqlStore, TaskState
from morphml.storage.hints import HintTopic


class Queue:
    """The queue of all jobs; what is set here holds for all masters.

    Args:
        store: where the settings and the tasks are.
        folder: of the files of all executions that lie here; None where none do.
    """

    def __init__(self, store: SqlStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder
        self._queue = store.workflows.queue

    def stats(self) -> QueueStats:
        """The queue now; a few queries: ask once a second at most, and share the answer."""
        settings = self._queue.settings()
        completed, failed, throughput = self._queue.totals()
        by_priority: Counter[int] = Counter()
        by_capability: Counter[str] = Counter()
        waiting = active = delayed = 0
        oldest: float | None = None
        for each in self._queue.task_counts():
            if each.state is not TaskState.PENDING:
                active += each.count
            elif each.delayed:
                delayed += each.count
            else:
                waiting += each.count
                by_priority[each.priority] += each.count
                by_capability.update(dict.fromkeys(each.requirements or ("any",), each.count))
                oldest = each.ready_at if oldest is None else min(oldest, each.ready_at)
        return QueueStats(
            waiting=waiting,
            active=active,
            delayed=delayed,
            completed=completed,
            failed=failed,
            by_priority=dict(by_priority),
            by_capability=dict(by_capability),
            throughput=throughput,
            oldest_s=0.0 if oldest is None else max(0.0, self._queue.now() - oldest),
            paused=settings.paused,
            draining=settings.draining,
            rate=settings.rate,
        )

    def pause(self) -> None:
        """Let no master claim a job any more; at most one batch of each is in flight."""
        self._queue.pause(on=True)

    def resume(self) -> None:
        """Go on after ``pause`` or ``drain``."""
        self._queue.pause(on=False)
        self._queue.drain(on=False)
        self._store.hints.send(HintTopic.WORK)

    def drain(self) -> None:
        """Accept no execution any more; what there is goes on."""
        self._queue.drain(on=True)

    def clean(self, older_than_s: float) -> int:
        """Forget executions that ended longer ago, with their files here; how many they were."""
        forgotten = self._queue.clean(older_than_s)
        if self._folder is not None:
            for execution in forgotten:
                # Rows first: what is stored never names a file that is gone.
                forget_files(self._store, ExperimentId(execution), self._folder)
        return len(forgotten)

    def limit(self, rate: float | None) -> None:
        """Let at most so many jobs a second begin, all masters together; None for any number.

        Raises:
            WorkflowError: when the rate is not above 0.
        """
        self._queue.limit(rate)
        self._store.hints.send(HintTopic.WORK)
