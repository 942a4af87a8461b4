"""Jobs of an execution: look, cancel, read their output."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import Path, Query
from pydantic import JsonValue

from morphml.engines.remote.access import Scope
from morphml.master.workflows import JobView as Job
from morphml.master.workflows import TaskView
from morphml.server.rest.problems import conflicts
from morphml.server.rest.routing import needs, resource
from morphml.server.rest.site import Here
from morphml.server.rest.views import Id, View, json_of
from morphml.workflow import JobState

router = resource("jobs")

_SUBMIT = needs(Scope.SUBMIT)
#: A job, or one part of it such as `train[3]`.
JobId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\[[0-9]+\])?$", min_length=1, max_length=200)
]
Seq = Annotated[int, Query(ge=0, le=2**53, description="`seq` of the last piece that was read.")]


class JobView(View):
    """A job of an execution, or one part of it."""

    id: str
    name: str
    type: str
    depends_on: list[str]
    priority: int
    status: JobState
    reason: str
    #: Where its task stands.
    task: TaskView
    #: Attempts that have ended, and the worker of the last.
    attempts: int
    worker: str
    outputs: dict[str, JsonValue]
    #: Of a `search` job.
    experiment_id: str | None
    #: Seconds since the Unix epoch.
    due_at: float | None
    started_at: float | None
    ended_at: float | None
    duration_seconds: float
    #: How many parts it has; 0 for a job without `forEach`.
    parts: int

    @classmethod
    def of(cls, seen: Job) -> Self:
        """The view of a job."""
        return cls(
            id=seen.id,
            name=seen.name,
            type=seen.type,
            depends_on=list(seen.depends_on),
            priority=seen.priority,
            status=seen.state,
            reason=seen.reason,
            task=seen.task,
            attempts=seen.attempts,
            worker=seen.worker,
            outputs=json_of(seen.outputs),
            experiment_id=seen.experiment,
            due_at=seen.due_at,
            started_at=seen.started_at,
            ended_at=seen.ended_at,
            duration_seconds=seen.duration_s,
            parts=seen.parts,
        )


class JobsView(View):
    """Jobs in the order of the workflow, each followed by its parts."""

    jobs: list[JobView]


class LineView(View):
    """Some output."""

    seq: int
    at: float
    #: stdout, stderr or log.
    stream: str
    text: str


class LinesView(View):
    """Output of a job."""

    lines: list[LineView]
    #: `after` for what comes next.
    next: int


@router.get("/api/distributed/execute/{executionId}/jobs", openapi_extra=_SUBMIT)
def jobs(
    executionId: Id,
    here: Here,
    status: Annotated[JobState | None, Query(description="Only those in it.")] = None,
) -> JobsView:
    """Jobs of an execution, all or those in one state."""
    found = here.executions.jobs(executionId, status)
    return JobsView(jobs=[JobView.of(each) for each in found])


@router.post("/api/distributed/execute/{executionId}/jobs/{jobId}/cancel", openapi_extra=_SUBMIT)
def cancel(executionId: Id, jobId: JobId, here: Here) -> JobView:
    """Give up one job or part that has not ended; those that depend on it see it as cancelled."""
    with conflicts():
        return JobView.of(here.executions.cancel_job(executionId, jobId))


@router.get("/api/distributed/execute/{executionId}/jobs/{jobId}/logs", openapi_extra=_SUBMIT)
def logs(executionId: Id, jobId: JobId, here: Here, after: Seq = 0) -> LinesView:
    """What a job wrote, at most 1,000 pieces; ask again with `next` for more."""
    found = here.executions.logs(executionId, jobId, after)
    lines = [
        LineView(seq=each.seq, at=each.at, stream=each.stream, text=each.text) for each in found
    ]
    return LinesView(lines=lines, next=lines[-1].seq if lines else after)
