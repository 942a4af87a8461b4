"""What a person or program does with executions, whatever face they come through."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.master.workflows.views import (
    Document,
    ExecutionEvent,
    ExecutionView,
    JobView,
    LockView,
    LogLine,
    Page,
    QueueStats,
)
from morphml.storage import SqlStore
from morphml.workflow import ExecutionState, JobState


class Executions:
    """Executions of a store; may be used from several threads.

    Every method raises ``StorageError`` when the store cannot be asked, and ``WorkflowError`` when
    there is no such execution or job, or its state does not allow what is asked.

    Args:
        store: the truth; masters that run on it do the work.

    Attributes:
        queue: the queue of all jobs, for all masters at once.
        locks: locks with an owner and an end.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.queue = Queue(store)
        self.locks = Locks(store)

    def start(self, document: Document, *, key: str | None = None) -> ExecutionView:
        """Check a workflow and begin to execute it; returns at once.

        Args:
            document: as JSON gives it.
            key: the same key gives the same execution again, for as long as that is stored.

        Raises:
            WorkflowError: with all mistakes in ``mistakes``; or the key was used for another
                document; or the queue is drained.
        """
        raise NotImplementedError

    def show(self, id: str) -> ExecutionView:
        """An execution."""
        raise NotImplementedError

    def list(
        self, state: ExecutionState | None = None, after: str | None = None, limit: int = 50
    ) -> Page[ExecutionView]:
        """Executions, newest first.

        Args:
            state: only those in it.
            after: ``Page.after`` of the page before.
            limit: 1 to 1,000.
        """
        raise NotImplementedError

    def jobs(self, id: str, state: JobState | None = None) -> Sequence[JobView]:
        """Jobs of an execution in the order of the workflow, each followed by its parts."""
        raise NotImplementedError

    def pause(self, id: str) -> ExecutionView:
        """Begin no job until ``resume``; those that run may end."""
        raise NotImplementedError

    def resume(self, id: str) -> ExecutionView:
        """Go on after ``pause``; take up what failed or was cancelled from where it stopped."""
        raise NotImplementedError

    def cancel(self, id: str) -> ExecutionView:
        """Give it up; what runs is stopped, and its results count no more."""
        raise NotImplementedError

    def retry(self, id: str, job: str | None = None) -> ExecutionView:
        """Run one job again with all that depends on it, or all that failed or was cancelled."""
        raise NotImplementedError

    def cancel_job(self, id: str, job: str) -> JobView:
        """Give up one job or part that has not ended; its dependants see it as cancelled."""
        raise NotImplementedError

    def events(self, id: str, after: int = 0, limit: int = 1000) -> Sequence[ExecutionEvent]:
        """Stored events with ``seq > after``, in order."""
        raise NotImplementedError

    def logs(self, id: str, job: str, after: int = 0) -> Sequence[LogLine]:
        """Output of a job or part with ``seq > after``, at most 1,000 pieces."""
        raise NotImplementedError


class Queue:
    """The queue of all jobs; what is set here holds for all masters.

    Args:
        store: where the settings and the tasks are.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def stats(self) -> QueueStats:
        """The queue now; a few queries: ask once a second at most, and share the answer."""
        raise NotImplementedError

    def pause(self) -> None:
        """Let no master claim a job any more; at most one batch of each is in flight."""
        raise NotImplementedError

    def resume(self) -> None:
        """Go on after ``pause`` or ``drain``."""
        raise NotImplementedError

    def drain(self) -> None:
        """Accept no execution any more; what there is goes on."""
        raise NotImplementedError

    def clean(self, older_than_s: float) -> int:
        """Forget executions that ended longer ago; how many they were."""
        raise NotImplementedError

    def limit(self, rate: float | None) -> None:
        """Let at most so many jobs a second begin, all masters together; None for any number.

        Raises:
            WorkflowError: when the rate is not above 0.
        """
        raise NotImplementedError


class Locks:
    """Locks with an owner and a time to live.

    Args:
        store: where they are.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def acquire(self, name: str, owner: str, ttl_s: float = 30.0) -> LockView | None:
        """Hold a lock that nobody holds, or that is held by ``owner`` already; None otherwise."""
        raise NotImplementedError

    def release(self, name: str, owner: str) -> bool:
        """Let go of it; False when ``owner`` does not hold it."""
        raise NotImplementedError

    def extend(self, name: str, owner: str, ttl_s: float = 30.0) -> LockView | None:
        """Hold it for ``ttl_s`` seconds from now; None when ``owner`` does not hold it any more."""
        raise NotImplementedError

    def get(self, name: str) -> LockView | None:
        """Who holds it; None for nobody."""
        raise NotImplementedError
