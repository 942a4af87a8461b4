"""What the store takes and gives of executions and jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from morphml.ids import AttemptToken, ExecutionId, ExperimentId
from morphml.optimizers.events import JSON
from morphml.search.changes import AttemptResult
from morphml.storage.states import TaskState
from morphml.workflow import ExecutionState, Job, JobState, Outputs, Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """The end of one attempt at a job, guarded by its token."""

    number: int
    token: AttemptToken
    #: ``succeeded`` or ``failed``; whatever else ended it counts as a machine's fault.
    result: AttemptResult
    worker: str
    #: Seconds since the Unix epoch, by the clock of whoever ran it.
    started_at: float
    duration_s: float
    #: What it put out, as a JSON object.
    outputs: bytes = b"{}"
    #: Of a failure: a JSON object for people and programs.
    failure: bytes | None = None
    #: Of a failure, for people.
    reason: str = ""
    #: Whether a failure is the job's own; a machine's costs it no retry.
    own: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What is needed to run a claimed job."""

    execution: ExecutionId
    number: int
    #: The job or part as people call it.
    name: str
    job: Job
    #: Its config with every reference replaced.
    config: Mapping[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRecord:
    """A search job that has begun."""

    execution: ExecutionId
    number: int
    #: Its experiment; None until one is made.
    experiment: ExperimentId | None
    #: State of the experiment and why; None where there is no such experiment.
    state: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """An execution."""

    id: ExecutionId
    workflow: Workflow
    state: ExecutionState
    reason: str
    seq: int
    created_at: float
    ended_at: float | None
    #: How many jobs are in each state, parts not counted.
    counts: Mapping[JobState, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAttempt:
    """The attempts at one job."""

    #: How many have ended.
    count: int
    #: Of the last one.
    worker: str
    started_at: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job or part of an execution."""

    number: int
    name: str
    job: Job
    state: JobState
    reason: str
    outputs: Outputs
    experiment: ExperimentId | None
    ended_at: float | None
    #: State of its task, and when that may be claimed; None without one.
    task: TaskState | None
    due_at: float | None
    #: None before one has ended.
    attempts: LastAttempt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """Something that happened in an execution."""

    seq: int
    #: The job or part; "" for the execution itself.
    job: str
    state: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRecord:
    """A piece of what a job wrote."""

    seq: int
    at: float
    stream: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """What holds for all claims of jobs."""

    paused: bool = False
    draining: bool = False
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCount:
    """Job tasks that stand alike."""

    requirements: Sequence[str]
    priority: int
    state: TaskState
    delayed: bool
    count: int
    #: When the oldest could first run.
    ready_at: float
