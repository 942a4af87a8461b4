"""What a person or program does with executions, whatever face they come through."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from morphml.errors import ExperimentError, UnknownExecution, WorkflowError
from morphml.ids import ExecutionId, ExperimentId
from morphml.master.workflows.lacking import lacking
from morphml.master.workflows.locks import Locks
from morphml.master.workflows.queue import Queue
from morphml.master.workflows.showing import event_view, execution_view, job_view, line_view
from morphml.master.workflows.views import (
    Document,
    ExecutionEvent,
    ExecutionView,
    JobView,
    LogLine,
    Page,
)
from morphml.search.experiment import ExperimentState
from morphml.storage import SqlStore
from morphml.storage.hints import HintTopic
from morphml.workflow import Command, ExecutionMachine, ExecutionState, JobState
from morphml.workflow.job_life import Cancel

#: Most executions of a page, and most pieces of output of one answer.
MOST = 1_000
_ON_REQUEST = "on request"


class Executions:
    """Executions of a store; may be used from several threads.

    Every method raises ``StorageError`` when the store cannot be asked, and ``WorkflowError`` or
    ``IllegalTransition`` when there is no such execution or job, or its state does not allow what
    is asked.

    Args:
        store: the truth; masters that run on it do the work.
        folder: of the files of all executions that lie on this machine; None where none do.

    Attributes:
        queue: the queue of all jobs, for all masters at once.
        locks: locks with an owner and an end.
    """

    def __init__(self, store: SqlStore, folder: Path | None = None) -> None:
        self._store = store
        self._stored = store.workflows
        self.queue = Queue(store, folder)
        self.locks = Locks(store)

    def start(self, document: Document, *, key: str | None = None) -> ExecutionView:
        """Check a workflow and begin to execute it; returns at once.

        Args:
            document: as JSON gives it.
            key: the same key gives the same execution again, for as long as that is stored.

        Raises:
            WorkflowError: with all mistakes in ``mistakes``; or the key was used for another
                document; or the queue is drained; or its code is not in the store.
        """
        source = document.get("source")
        if isinstance(source, str) and not self._store.bundles.has(source):
            raise WorkflowError(
                f"source: there is no bundle {source[:64]!r} in the store; `morphml workflow run` "
                "sends the code that lies beside a workflow"
            )
        execution = self._stored.running.start(document, key)
        self._store.hints.send(HintTopic.WORK)
        return self.show(execution)

    def show(self, id: str) -> ExecutionView:
        """An execution."""
        return execution_view(self._stored.reading.execution(ExecutionId(id)))

    def list(
        self, state: ExecutionState | None = None, after: str | None = None, limit: int = 50
    ) -> Page[ExecutionView]:
        """Executions, newest first.

        Args:
            state: only those in it.
            after: ``Page.after`` of the page before.
            limit: 1 to 1,000.

        Raises:
            WorkflowError: when ``after`` or ``limit`` is none of these.
        """
        if not 1 <= limit <= MOST:
            raise WorkflowError(f"limit: 1 to {MOST:,}, got {limit}")
        found = self._stored.reading.executions(state, _place(after), limit + 1)
        page = [execution_view(each) for each in found[:limit]]
        more = len(found) > limit
        return Page(items=page, after=f"{page[-1].created_at!r}:{page[-1].id}" if more else None)

    def jobs(self, id: str, state: JobState | None = None) -> Sequence[JobView]:
        """Jobs of an execution in the order of the workflow, each followed by its parts."""
        execution = ExecutionId(id)
        records = self._stored.reading.jobs(execution)
        parts = [each.job.id for each in records if each.name != each.job.id]
        lacks = lacking(self._store, records)
        return [
            job_view(
                execution,
                each,
                parts.count(each.name) if parts else 0,
                waits_for=lacks.get(each.number, ""),
            )
            for each in records
            if state is None or each.state is state
        ]

    def pause(self, id: str) -> ExecutionView:
        """Begin no job until ``resume``; those that run may end."""
        return self._act(id, ExecutionMachine.pause)

    def resume(self, id: str) -> ExecutionView:
        """Go on after ``pause``; take up what failed or was cancelled from where it stopped."""

        def resume(machine: ExecutionMachine) -> Sequence[Command]:
            ended = machine.life.state.ended
            return machine.run_again() if ended else machine.resume()

        return self._act(id, resume)

    def cancel(self, id: str) -> ExecutionView:
        """Give it up; what runs is stopped, and its results count no more."""
        return self._act(id, lambda machine: machine.cancel(_ON_REQUEST))

    def retry(self, id: str, job: str | None = None) -> ExecutionView:
        """Run one job again with all that depends on it, or all that failed or was cancelled."""
        return self._act(id, lambda machine: machine.run_again(() if job is None else (job,)))

    def cancel_job(self, id: str, job: str) -> JobView:
        """Give up one job or part that has not ended; its dependants see it as cancelled."""
        execution = ExecutionId(id)
        number = self._stored.reading.number(execution, job)
        before = self._job(execution, job)
        if before.state.ended:
            raise WorkflowError(f"execution {id}: job {job} has ended, it is {before.state}")
        if before.state is JobState.FANNED_OUT:
            raise WorkflowError(
                f"execution {id}: job {job} is under way in {before.parts} parts; cancel these, "
                f"such as {job}[0]"
            )
        self._stored.running.end_job(execution, number, Cancel(reason=_ON_REQUEST))
        if before.experiment is not None:
            self._stop_experiment(before.experiment)
        self._store.hints.send(HintTopic.WORK)
        return self._job(execution, job)

    def events(self, id: str, after: int = 0, limit: int = MOST) -> Sequence[ExecutionEvent]:
        """Stored events with ``seq > after``, in order."""
        return [
            event_view(each) for each in self._stored.reading.events(ExecutionId(id), after, limit)
        ]

    def logs(self, id: str, job: str, after: int = 0) -> Sequence[LogLine]:
        """Output of a job or part with ``seq > after``, at most 1,000 pieces."""
        execution = ExecutionId(id)
        number = self._stored.reading.number(execution, job)
        return [
            line_view(each) for each in self._stored.reading.output(execution, number, after, MOST)
        ]

    def _job(self, execution: ExecutionId, name: str) -> JobView:
        found = [each for each in self.jobs(execution) if each.id == name]
        if not found:
            raise UnknownExecution(f"execution {execution} has no part {name!r}")
        return found[0]

    def _act(
        self, id: str, action: Callable[[ExecutionMachine], Sequence[Command]]
    ) -> ExecutionView:
        for experiment in self._stored.steering.act(ExecutionId(id), action):
            self._stop_experiment(experiment)
        self._store.hints.send(HintTopic.WORK)
        return self.show(id)

    def _stop_experiment(self, experiment: str) -> None:
        """Nobody waits for a search any more; one that has ended already is left as it is."""
        with suppress(ExperimentError):
            self._store.set_state(ExperimentId(experiment), ExperimentState.PAUSED, _ON_REQUEST)


def _place(after: str | None) -> tuple[float, str]:
    """Where a page begins: behind what was created at this hour under this id."""
    if after is None:
        return math.inf, ""
    at, _, id = after.partition(":")
    try:
        return float(at), id
    except ValueError as error:
        raise WorkflowError(f"after: what the page before says, got {after!r}") from error
