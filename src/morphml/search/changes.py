"""What one driver transaction writes: all of it is stored, or none of it.

The store begins the transaction with the guarded update of the experiment row (epoch, nonce, state,
budget), which takes ``taken`` numbers and ``len(entries)`` sequence numbers. The values here name
those numbers already, since only the driver can take them; when the row disagrees the driver is not
the driver any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from morphml.ids import AttemptToken, ExperimentId, GraphId, PointId, SessionId, TaskId
from morphml.optimizers.events import JSON
from morphml.scheduling.policies.contract import DEFAULT_PRIORITY
from morphml.search.experiment import ExperimentSpec, ExperimentState, TrialState
from morphml.search.log import LogEntry
from morphml.search.sharing import TrialSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """The right to change one experiment, as long as the store agrees."""

    experiment: ExperimentId
    #: Master session that holds it.
    session: SessionId
    #: Counts takeovers, from 1.
    epoch: int
    #: Random secret of this takeover.
    nonce: str
    #: The number that the next trial takes, as of the takeover.
    next_number: int
    #: The sequence number of the last log entry, as of the takeover; 0 for none.
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who runs a task at the moment."""

    token: AttemptToken
    session: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTrial:
    """A trial at the moment it takes its number."""

    number: int
    #: Decision vector as a JSON array.
    vector: bytes
    graph_id: GraphId | None
    point_id: PointId
    #: Computed metrics as a JSON object (params, flops, activation_bytes), possibly empty.
    computed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """One segment of a trial, to be run by a worker."""

    id: TaskId
    number: int
    #: 0 for the first segment; promotion adds one.
    segment: int = 0
    #: Epochs already done, and the epoch at which this segment ends.
    from_epoch: int = 0
    to_epoch: int
    #: What a worker must offer; equal mappings share one interned class.
    requirements: Mapping[str, float] = field(default_factory=dict)
    #: Order of claims: smaller goes first (seconds; see ``morphml.scheduling``).
    rank: float
    #: Seconds since the epoch before which it is not claimed.
    ready_at: float
    #: Set when the driver's own session claims it in the same transaction.
    lease: Lease | None = None


class AttemptResult(StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    LOST = "lost"


class TaskThen(StrEnum):
    """What becomes of the task when its attempt ends."""

    #: The row leaves ``tasks``.
    GONE = "gone"
    #: Pending again; ``ready_at`` and ``rank`` say when.
    RETRY = "retry"
    #: Waits for a promotion.
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnd:
    """The end of one attempt, guarded by its token."""

    token: AttemptToken
    task: TaskId
    number: int
    result: AttemptResult
    then: TaskThen
    #: Name of the worker that ran it.
    worker: str
    #: Seconds since the Unix epoch, as the worker's clock had it.
    started_at: float
    #: Seconds that the evaluator ran.
    duration_s: float
    #: Failure as a JSON object (kind, error_type, message, traceback, digest), or None.
    failure: bytes | None = None
    #: For ``RETRY``: when and in which order.
    ready_at: float = 0.0
    rank: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedTask:
    """A leased task that never began; pending again, and no attempt is counted."""

    token: AttemptToken
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialUpdate:
    """A trial's new state."""

    number: int
    state: TrialState
    #: Metrics as a JSON object, or None where there are none.
    metrics: bytes | None = None
    duration_s: float = 0.0
    epochs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResult:
    """A result that later experiments may use; what is stored under its key already stays."""

    #: See ``search.sharing``.
    key: str
    number: int
    #: What the evaluator returned.
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPointer:
    """A checkpoint that exists from this transaction on; guarded by the attempt's token."""

    token: AttemptToken
    number: int
    #: Epochs done at the checkpoint.
    step: int
    #: Artifact key.
    key: str
    #: Digest of the file.
    digest: str
    #: Bytes.
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentEnd:
    """The experiment's new state and the reason that people read."""

    state: ExperimentState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """One driver transaction."""

    #: Log entries with their sequence numbers, rising by one.
    entries: tuple[LogEntry, ...] = ()
    trials: tuple[NewTrial, ...] = ()
    tasks: tuple[NewTask, ...] = ()
    ended: tuple[AttemptEnd, ...] = ()
    returned: tuple[ReturnedTask, ...] = ()
    updates: tuple[TrialUpdate, ...] = ()
    checkpoints: tuple[CheckpointPointer, ...] = ()
    #: Of trials that completed here, where the experiment shares its results.
    results: tuple[NewResult, ...] = ()
    end: ExperimentEnd | None = None

    @property
    def taken(self) -> int:
        """How many numbers this transaction takes."""
        return len(self.trials)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedTask:
    """A task that this session has leased, with what an engine needs to run it."""

    id: TaskId
    #: Its owner; of a job the execution.
    experiment: ExperimentId
    number: int
    segment: int
    from_epoch: int
    to_epoch: int
    token: AttemptToken
    #: How many attempts ended before this one.
    attempts: int
    #: Empty of a job.
    vector: bytes
    #: Newest checkpoint, or None.
    checkpoint: CheckpointPointer | None
    #: What its worker must offer.
    requirements: Mapping[str, float] = field(default_factory=dict)
    #: Where it stood in the order of claims.
    rank: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """A task that has not ended, as the store has it."""

    id: TaskId
    number: int
    segment: int
    to_epoch: int
    #: Live token of its attempt; None while the task waits.
    token: AttemptToken | None
    #: Session that holds it; None while it waits, and when the result waits for the driver.
    holder: SessionId | None
    #: How many attempts ended before this one.
    attempts: int
    #: Seconds since the Unix epoch before which it is not claimed, or None.
    due_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """A trial as the store has it."""

    number: int
    state: TrialState
    vector: bytes
    graph_id: GraphId | None
    point_id: PointId
    computed: Mapping[str, float]
    metrics: Mapping[str, float]
    duration_s: float
    epochs: int
    #: Seconds since the Unix epoch.
    created_at: float
    ended_at: float | None
    #: The other experiment's trial whose result this is; None for a trial of this experiment.
    reused_from: TrialSource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """An attempt that ended, as the store has it."""

    number: int
    segment: int
    #: 0 for the first attempt at the segment.
    index: int
    result: AttemptResult
    worker: str
    started_at: float
    duration_s: float
    failure: Mapping[str, JSON] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRecord:
    """An experiment as the store has it."""

    id: ExperimentId
    name: str
    #: The spec's JSON document.
    spec: Mapping[str, JSON]
    state: ExperimentState
    reason: str
    #: How many trials are allowed now; may have been raised since the spec was made.
    budget: int
    next_number: int
    seq: int
    created_at: float
    #: Wall seconds that drivers have spent on it in earlier runs.
    spent_s: float
    #: 1 to 10; higher goes first.
    priority: int = DEFAULT_PRIORITY

    @property
    def current_spec(self) -> ExperimentSpec:
        """What fixes the search, with budget and priority as they are now.

        Raises:
            ExperimentError: when the document cannot be read; see ``ExperimentSpec.from_json``.
        """
        spec = ExperimentSpec.from_json(self.spec)
        budget = replace(spec.budget, trials=self.budget)
        return replace(spec, budget=budget, priority=self.priority)
