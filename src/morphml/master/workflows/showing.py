"""From what the store has to what people see."""

from __future__ import annotations

from morphml.ids import ExecutionId
from morphml.master.workflows.views import (
    ExecutionEvent,
    ExecutionView,
    JobView,
    LogLine,
    TaskView,
)
from morphml.storage import TaskState
from morphml.storage.workflows import EventRecord, ExecutionRecord, JobRecord, OutputRecord


def execution_view(record: ExecutionRecord) -> ExecutionView:
    """An execution."""
    workflow = record.workflow
    return ExecutionView(
        id=record.id,
        workflow_id=workflow.id,
        name=workflow.name,
        state=record.state,
        reason=record.reason,
        parallelism=workflow.parallelism,
        created_at=record.created_at,
        ended_at=record.ended_at,
        counts=record.counts,
        seq=record.seq,
        metadata=workflow.metadata,
    )


def job_view(execution: ExecutionId, record: JobRecord, parts: int, *, waits_for: str) -> JobView:
    """A job or part.

    Args:
        execution: whose.
        record: as it is stored.
        parts: how many it has.
        waits_for: what it needs and no worker has.
    """
    job, last = record.job, record.attempts
    return JobView(
        execution=execution,
        id=record.name,
        name=job.name,
        type=job.type,
        depends_on=job.depends_on,
        priority=job.priority,
        state=record.state,
        reason=record.reason or waits_for,
        task=_task_view(record),
        attempts=0 if last is None else last.count,
        worker="" if last is None else last.worker,
        outputs=record.outputs,
        experiment=record.experiment,
        due_at=record.due_at,
        started_at=None if last is None else last.started_at,
        duration_s=0.0 if last is None else last.duration_s,
        ended_at=record.ended_at,
        parts=parts,
    )


def event_view(record: EventRecord) -> ExecutionEvent:
    """Something that happened."""
    return ExecutionEvent(
        seq=record.seq,
        at=record.at,
        kind="job" if record.job else "execution",
        job=record.job,
        state=record.state,
        reason=record.reason,
    )


def line_view(record: OutputRecord) -> LogLine:
    """A piece of output."""
    return LogLine(seq=record.seq, at=record.at, stream=record.stream, text=record.text)


def _task_view(record: JobRecord) -> TaskView:
    if record.task is None:
        return TaskView.NONE
    if record.task is TaskState.PENDING:
        return TaskView.WAITING if record.due_at is None else TaskView.DELAYED
    return TaskView.RUNNING
