"""What anybody may see of executions, jobs, the queue and locks: plain values of one moment.

Times are seconds since the Unix epoch by the database's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from morphml.optimizers.events import JSON
from morphml.workflow import ExecutionState, JobState, Outputs

T = TypeVar("T")


class TaskView(StrEnum):
    """Where the task of an active job stands."""

    #: It has none: the job is not active, or its work is an experiment.
    NONE = "none"
    #: It may be claimed.
    WAITING = "waiting"
    #: It waits for the time of its next attempt.
    DELAYED = "delayed"
    #: A master has it: it runs, or is queued at a worker.
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionView:
    """An execution."""

    id: str
    #: As its author called the workflow.
    workflow_id: str
    #: For people.
    name: str
    state: ExecutionState
    #: Why it fails, failed or was cancelled; empty otherwise.
    reason: str
    #: Jobs that may run at once; None for as many as there are slots.
    parallelism: int | None
    created_at: float
    ended_at: float | None
    #: How many jobs are in each state; states without a job are left out, parts are not counted.
    counts: Mapping[JobState, int]
    #: Sequence number of its newest event.
    seq: int
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def jobs(self) -> int:
        """How many jobs it has, parts not counted."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job of an execution, or one part of a job with ``forEach``."""

    execution: str
    #: As the workflow calls it; a part is ``train[3]``.
    id: str
    name: str
    type: str
    depends_on: Sequence[str]
    #: 1 to 10, higher goes first.
    priority: int
    state: JobState
    #: Why it was skipped, failed or cancelled, or what it waits for that no worker has; empty
    #: otherwise.
    reason: str
    #: Where its task stands.
    task: TaskView
    #: Attempts that have ended, whatever their end.
    attempts: int
    #: Name of the worker of the attempt that ended last; "" before.
    worker: str
    #: What it put out; empty until it has succeeded.
    outputs: Outputs
    #: The experiment of a ``search`` job, once it has begun.
    experiment: str | None
    #: When the next attempt may begin; None where nothing waits for a time.
    due_at: float | None
    #: When the last attempt began, and how many seconds it took; None and 0.0 before its end.
    started_at: float | None
    duration_s: float
    ended_at: float | None
    #: How many parts it has; 0 for a job without ``forEach``, or one that has not begun.
    parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionEvent:
    """Something that happened in an execution and is stored."""

    #: 1, 2, 3 ... without a gap in each execution.
    seq: int
    at: float
    #: What it is about: ``execution`` or ``job``.
    kind: str
    #: The job or part; "" for the execution itself.
    job: str
    #: The state that it has from then on; ``retrying`` for a job whose next attempt waits.
    state: str
    #: Why, for people; may be empty.
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """Some output of a job: whole lines but for the last one."""

    #: Rises within a job; ``after`` of the next call.
    seq: int
    at: float
    #: ``stdout``, ``stderr``, or ``log``.
    stream: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStats:
    """All job tasks of a store, and how fast they go."""

    #: May be claimed, running, waiting for their time.
    waiting: int
    active: int
    delayed: int
    #: Jobs that ended so and are still stored.
    completed: int
    failed: int
    #: Waiting tasks by priority, and by capability; those that need none count under ``any``.
    by_priority: Mapping[int, int]
    by_capability: Mapping[str, int]
    #: Jobs that ended in the last minute, a second.
    throughput: float
    #: Seconds for which the oldest waiting task has waited; 0.0 where none waits.
    oldest_s: float
    #: No master claims a task.
    paused: bool
    #: No execution is accepted, what there is goes on.
    draining: bool
    #: Jobs a second that may begin, all masters together; None without a limit.
    rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockView:
    """A lock that somebody holds."""

    name: str
    owner: str
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some of a list."""

    items: Sequence[T]
    #: ``after`` of the call for the next page; None at the end.
    after: str | None


#: A document of a workflow, as JSON gives it.
Document = Mapping[str, JSON]
