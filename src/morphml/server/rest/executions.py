"""Executions of workflows: begin, look, control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from fastapi import Depends, Query, Response
from pydantic import Field

from morphml.engines.remote.access import Scope
from morphml.errors import WorkflowError
from morphml.master.workflows import ExecutionView as Execution
from morphml.server.rest.answers import Key
from morphml.server.rest.documents import Written, written
from morphml.server.rest.jobs import JobView
from morphml.server.rest.problems import conflicts
from morphml.server.rest.routing import SCHEMAS, needs, resource
from morphml.server.rest.site import Here, Site
from morphml.server.rest.views import After, Body, Id, Limit, PageView, View
from morphml.workflow import ExecutionState

router = resource("executions")

_SUBMIT = needs(Scope.SUBMIT)


class ExecutionView(View):
    """An execution, without its jobs."""

    execution_id: str
    workflow_id: str
    name: str
    status: ExecutionState
    #: Why it fails, failed or was cancelled; empty otherwise.
    reason: str
    parallelism: int | None
    #: Seconds since the Unix epoch.
    created_at: float
    ended_at: float | None
    #: How many jobs it has, and how many of them are in each state.
    total_jobs: int
    counts: dict[str, int]
    #: Of its newest event.
    seq: int
    metadata: dict[str, str]

    @classmethod
    def of(cls, seen: Execution) -> Self:
        """The view of an execution."""
        return cls(
            execution_id=seen.id,
            workflow_id=seen.workflow_id,
            name=seen.name,
            status=seen.state,
            reason=seen.reason,
            parallelism=seen.parallelism,
            created_at=seen.created_at,
            ended_at=seen.ended_at,
            total_jobs=seen.jobs,
            counts={state.value: count for state, count in seen.counts.items()},
            seq=seen.seq,
            metadata=dict(seen.metadata),
        )


class WholeExecutionView(ExecutionView):
    """An execution with its jobs."""

    jobs: list[JobView]

    @classmethod
    def whole(cls, here: Site, seen: Execution) -> Self:
        """The view of an execution and of its jobs as they are now."""
        jobs = [JobView.of(job) for job in here.executions.jobs(seen.id)]
        return cls(**ExecutionView.of(seen).model_dump(), jobs=jobs)


class ExecutionsView(PageView):
    """Some executions, newest first."""

    executions: list[ExecutionView]


class RetryBody(Body):
    """What is run again."""

    job_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\[[0-9]+\])?$",
        description="One job with all that depends on it; without it all that failed or was "
        "cancelled.",
    )


Document = Annotated[Written, Depends(written)]
State = Annotated[ExecutionState | None, Query(description="Only those in it.")]


@router.post(
    "/api/distributed/execute",
    status_code=202,
    openapi_extra=needs(
        Scope.SUBMIT,
        requestBody={
            "required": True,
            "content": {
                kind: {"schema": {"$ref": f"{SCHEMAS}WorkflowDocument"}}
                for kind in ("application/json", "application/yaml")
            },
        },
    ),
)
def execute(document: Document, here: Here, key: Key = None) -> ExecutionView:
    """Begin to execute a workflow; answers at once."""
    if not isinstance(document.data, Mapping):
        raise WorkflowError(f"a workflow is an object, got {type(document.data).__name__}")
    return ExecutionView.of(here.executions.start(document.data, key=key))


@router.get("/api/distributed/execute", openapi_extra=_SUBMIT)
def list_executions(
    here: Here, status: State = None, after: After = None, limit: Limit = 50
) -> ExecutionsView:
    """Executions, newest first."""
    page = here.executions.list(status, after, limit)
    return ExecutionsView(
        executions=[ExecutionView.of(each) for each in page.items], next=page.after
    )


@router.get(
    "/api/distributed/execute/{executionId}",
    openapi_extra=_SUBMIT,
    response_model=WholeExecutionView,
)
def show(executionId: Id, here: Here) -> Response:
    """An execution and its jobs; where a task stands may be half a second old."""
    seen = here.executions.show(executionId)

    def render() -> bytes:
        return WholeExecutionView.whole(here, seen).model_dump_json(by_alias=True).encode()

    return Response(here.rendered.of(seen, render), media_type="application/json")


@router.post("/api/distributed/execute/{executionId}/pause", openapi_extra=_SUBMIT)
def pause(executionId: Id, here: Here) -> ExecutionView:
    """Begin no job until it is resumed; those that run may end."""
    with conflicts():
        return ExecutionView.of(here.executions.pause(executionId))


@router.post("/api/distributed/execute/{executionId}/resume", openapi_extra=_SUBMIT)
def resume(executionId: Id, here: Here) -> ExecutionView:
    """Go on after a pause; take up what failed or was cancelled from where it stopped."""
    with conflicts():
        return ExecutionView.of(here.executions.resume(executionId))


@router.post("/api/distributed/execute/{executionId}/cancel", openapi_extra=_SUBMIT)
def cancel(executionId: Id, here: Here) -> ExecutionView:
    """Give it up; what runs is stopped."""
    with conflicts():
        return ExecutionView.of(here.executions.cancel(executionId))


@router.post("/api/distributed/execute/{executionId}/retry", openapi_extra=_SUBMIT)
def retry(executionId: Id, here: Here, body: RetryBody | None = None) -> ExecutionView:
    """Run a job again with all that depends on it, or all that failed or was cancelled."""
    job = None if body is None else body.job_id
    with conflicts():
        return ExecutionView.of(here.executions.retry(executionId, job))
