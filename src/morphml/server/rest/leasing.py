"""What a worker over REST does with tasks: lease, report, end."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import orjson
from fastapi import Response
from pydantic import Field, JsonValue, StringConstraints

from morphml.engines.port import OUTPUTS_LIMIT, Cancelled, Failed, Outcome, PausedAt, Succeeded
from morphml.engines.remote import checking
from morphml.engines.remote.access import Scope
from morphml.engines.remote.messages import AttemptName
from morphml.evaluation.orders import Order
from morphml.ids import digest
from morphml.master.cluster.outside import Leased, LeasedJob, LeasedTrial
from morphml.master.options import required_metrics
from morphml.scheduling.failures import FailureKind
from morphml.search.changes import CheckpointPointer
from morphml.server.rest.problems import Refused
from morphml.server.rest.routing import needs, resource
from morphml.server.rest.site import Here
from morphml.server.rest.views import (
    AttemptId,
    Body,
    GivenId,
    Name,
    TaskId,
    View,
    attempt_name,
    json_of,
)
from morphml.space.plain_values import plain_decisions

router = resource("workers")

#: Text of an error that is kept, in characters.
MOST_TEXT = 100_000
Step = Annotated[int, Field(ge=0, le=2**53)]
Metrics = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]+$", max_length=128)],
        Annotated[float, Field(allow_inf_nan=False)],
    ],
    Field(max_length=1000),
]
Text = Annotated[str, StringConstraints(max_length=MOST_TEXT)]


class LeaseBody(Body):
    """How much a worker takes."""

    limit: int = Field(default=1, ge=1, le=100, description="Tasks at most.")
    only: Name | None = Field(default=None, description="A capability: only tasks that require it.")
    incarnation: int | None = Field(default=None, ge=1)


class AttemptBody(Body):
    """An attempt, named as it was leased."""

    task_id: TaskId
    attempt_id: AttemptId = Field(description="Secret name of the attempt.")
    incarnation: int | None = Field(default=None, ge=1)

    def name(self) -> AttemptName:
        """The same as a value."""
        return attempt_name(self.task_id, self.attempt_id)


class ReportBody(AttemptBody):
    """Metrics of an attempt that goes on."""

    step: Step
    metrics: Metrics


class OrderView(View):
    """What an attempt is to do."""

    #: continue, stop, pause or cancel.
    order: Order


class PieceBody(Body):
    """Some output."""

    stream: Literal["stdout", "stderr", "log"] = "stdout"
    text: Text


class OutputBody(AttemptBody):
    """What an attempt has written."""

    output: list[PieceBody] = Field(
        min_length=1,
        max_length=1000,
        description="In order. Of a job 2^20 characters are kept, of a trial 4 MiB.",
    )


class ErrorBody(Body):
    """Why an attempt failed."""

    type: Annotated[str, StringConstraints(max_length=256)] = "Error"
    message: Text = ""
    traceback: Text = ""


class ResultBody(AttemptBody):
    """The end of an attempt."""

    status: Literal["completed", "paused", "failed", "cancelled"]
    metrics: Metrics = Field(default={}, description="Of a trial.")
    outputs: dict[str, JsonValue] = Field(
        default={}, description="Of a job: at most 64 KiB of JSON, for the jobs that wait for it."
    )
    step: Step = Field(default=0, description="Epochs done, of a trial that pauses at a rung.")
    error: ErrorBody = ErrorBody()
    duration_seconds: float = Field(default=0.0, ge=0.0, le=1e9)

    def outcome(self) -> Outcome:
        """The same as a value."""
        match self.status:
            case "completed":
                return Succeeded(metrics=self.metrics, outputs=self._outputs())
            case "paused":
                return PausedAt(step=self.step, metrics=self.metrics)
            case "cancelled":
                return Cancelled()
            case "failed":
                return Failed(
                    kind=FailureKind.USER_ERROR,
                    error_type=checking.line(self.error.type, 256),
                    message=checking.text(self.error.message, MOST_TEXT),
                    traceback=checking.text(self.error.traceback, MOST_TEXT),
                    digest=digest(f"{self.error.type}\0{self.error.message}".encode()),
                )

    def _outputs(self) -> dict[str, JsonValue]:
        if (size := len(orjson.dumps(self.outputs))) > OUTPUTS_LIMIT:
            raise Refused(
                413,
                "outputs-too-large",
                f"outputs take {size} bytes, at most {OUTPUTS_LIMIT} are kept; put out where a "
                "file lies, not what it holds",
            )
        return self.outputs


class CheckpointView(View):
    """A checkpoint of a trial."""

    #: Epochs done.
    step: int
    #: blake2b, 16 bytes, in hexadecimal digits.
    digest: str
    #: Bytes.
    size: int

    @classmethod
    def of(cls, pointer: CheckpointPointer) -> Self:
        """The view of a checkpoint."""
        return cls(step=pointer.step, digest=pointer.digest, size=pointer.size)


class TrialView(View):
    """What a worker must know to evaluate an architecture."""

    experiment_id: str
    number: int
    #: Paths of decisions and their values; the hyperparameters among them.
    decisions: dict[str, JsonValue]
    #: The space in its text form, and the architecture's decision codes in its order.
    space: str
    vector: list[int | float | None]
    #: Import path of the evaluator, and its settings.
    evaluator: str
    settings: dict[str, JsonValue]
    #: Metrics that a result must have.
    required_metrics: list[str]
    seed: int
    #: Epochs done, those after which this segment ends, and those of a full trial; 0: its own.
    from_epoch: int
    to_epoch: int
    max_epochs: int
    #: To go on from, of `fromEpoch` epochs; null where it begins anew.
    checkpoint: CheckpointView | None


class JobCallView(View):
    """What a worker must know to run a job."""

    execution_id: str
    #: As its workflow calls it; a part is `train[3]`.
    id: str
    #: Kind of job, such as `python`.
    type: str
    #: What its kind needs, with every reference replaced. `{"artifact", "name", "size"}` in it is
    #: a file of an earlier job.
    config: dict[str, JsonValue]


class TaskView(View):
    """A task that a worker holds: a trial of an experiment, or a job of an execution."""

    task_id: str
    #: Secret; for outside systems the idempotency key of what the task does there.
    attempt_id: str
    #: Seconds that the attempt may take; null for no limit.
    timeout: float | None
    trial: TrialView | None = None
    job: JobCallView | None = None

    @classmethod
    def of(cls, leased: Leased) -> Self:
        """The view of a task."""
        return cls._of_job(leased) if isinstance(leased, LeasedJob) else cls._of_trial(leased)

    @classmethod
    def _of_job(cls, leased: LeasedJob) -> Self:
        call = leased.call
        return cls(
            task_id=leased.task,
            attempt_id=leased.token,
            timeout=call.job.timeout_s,
            job=JobCallView(
                execution_id=call.execution,
                id=call.name,
                type=call.job.type,
                config=json_of(call.config),
            ),
        )

    @classmethod
    def _of_trial(cls, leased: LeasedTrial) -> Self:
        spec, architecture, from_ = leased.spec, leased.architecture, leased.checkpoint
        return cls(
            task_id=leased.task,
            attempt_id=leased.token,
            timeout=spec.limits.time_s,
            trial=TrialView(
                experiment_id=leased.experiment,
                number=leased.number,
                decisions=json_of(plain_decisions(architecture.decisions)),
                space=spec.space or "",
                vector=list(architecture.vector),
                evaluator=spec.evaluator.reference,
                settings=json_of(spec.evaluator.arguments),
                required_metrics=list(required_metrics(spec)),
                seed=leased.seed,
                from_epoch=leased.from_epoch,
                to_epoch=leased.to_epoch,
                max_epochs=spec.max_epochs,
                checkpoint=None if from_ is None else CheckpointView.of(from_),
            ),
        )


class TasksView(View):
    """Tasks that a worker holds from now on."""

    tasks: list[TaskView]


@router.post("/api/distributed/workers/{workerId}/lease", openapi_extra=needs(Scope.WORKER))
def lease(workerId: GivenId, body: LeaseBody, here: Here) -> TasksView:
    """Take the next tasks that fit the worker; none where nothing waits."""
    leased = here.workers.lease(workerId, body.limit, body.incarnation, body.only)
    return TasksView(tasks=[TaskView.of(each) for each in leased])


@router.post(
    "/api/distributed/workers/{workerId}/logs",
    openapi_extra=needs(Scope.WORKER),
    status_code=204,
    response_class=Response,
)
def log(workerId: GivenId, body: OutputBody, here: Here) -> None:
    """Keep what an attempt has written."""
    pieces = [(each.stream, each.text) for each in body.output]
    here.files.log(workerId, body.name(), pieces, body.incarnation)


@router.post("/api/distributed/workers/{workerId}/reports", openapi_extra=needs(Scope.WORKER))
def report(workerId: GivenId, body: ReportBody, here: Here) -> OrderView:
    """Tell how a trial goes; the answer is the last that is known of what it is to do."""
    order = here.workers.tell(workerId, body.name(), body.step, body.metrics, body.incarnation)
    return OrderView(order=order)


@router.post(
    "/api/distributed/workers/{workerId}/results",
    openapi_extra=needs(Scope.WORKER),
    status_code=204,
    response_class=Response,
)
def result(workerId: GivenId, body: ResultBody, here: Here) -> None:
    """End an attempt; the same result may be sent again until it was answered."""
    here.workers.finish(
        workerId, body.name(), body.outcome(), body.duration_seconds, body.incarnation
    )
