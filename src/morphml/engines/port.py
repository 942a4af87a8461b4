"""The port between whoever drives a search and the engines that run its attempts.

An engine is driven by one thread. ``submit`` and ``order`` never wait; ``events`` waits up to the
time given and returns what happened. Every submitted token ends in exactly one ``Finished``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from morphml.evaluation.metrics import MetricRules
from morphml.evaluation.orders import Order
from morphml.evaluation.place import ALONE, Place
from morphml.evaluation.source import EvaluatorSource
from morphml.ids import AttemptToken, ExperimentId
from morphml.optimizers.events import JSON
from morphml.scheduling.failures import FailureKind

if TYPE_CHECKING:
    from morphml.space import Architecture

__all__ = [
    "OUTPUTS_LIMIT",
    "ArchitectureSource",
    "Assignment",
    "Cancelled",
    "Checkpointed",
    "Context",
    "Engine",
    "EngineEvent",
    "Failed",
    "Finished",
    "JobCall",
    "Logged",
    "Order",
    "Outcome",
    "PausedAt",
    "Place",
    "Reported",
    "Returned",
    "Started",
    "Stopped",
    "Succeeded",
    "WorkerGone",
]

#: The most that a job may put out, in bytes of JSON; what is larger goes into an artifact.
OUTPUTS_LIMIT = 64 << 10

# --- what an engine is handed --------------------------------------------------------------------


class ArchitectureSource(Protocol):
    """What turns a decision vector into an architecture: a search space."""

    def architecture(self, vector: tuple[int | float | None, ...], /) -> Architecture:
        """The member with these decision codes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What all attempts of an experiment share; sent once to each child."""

    #: Makes architectures from vectors; travels by value.
    space: ArchitectureSource
    #: The evaluator.
    evaluator: EvaluatorSource
    #: Which metrics a result must have.
    rules: MetricRules
    #: Folder of the experiment: caches of evaluators, and checkpoints under ``checkpoints/``.
    scratch: Path
    #: The evaluator's settings.
    settings: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCall:
    """What an attempt at a job of a workflow runs in the place of an evaluator."""

    #: The job in its execution, such as ``train``, or ``train[3]`` for a part of one.
    job: str
    #: Name of a job type, such as ``python``.
    type: str
    #: What its type needs, with every reference replaced. Files of earlier jobs stand in it as the
    #: references that those put out; whoever runs the job has the files before it begins.
    config: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One attempt to be run."""

    #: Secret name of the attempt; every event about it carries the token.
    token: AttemptToken
    #: The experiment, as given to ``prepare``; of a job the execution.
    experiment: ExperimentId
    #: The trial's number, and which of its segments this is; of a job any number of its own.
    number: int
    segment: int = 0
    #: The architecture's decision codes; none of a job.
    vector: tuple[int | float | None, ...]
    #: Seed of the training.
    seed: int
    #: Epochs already done, and the epoch at which the segment ends (0: the user's own).
    from_epoch: int = 0
    to_epoch: int = 0
    #: Epochs of a full trial; where the segment ends before, the trial pauses there. 0: no more.
    max_epochs: int = 0
    #: The highest step already reported by an earlier attempt, or None.
    reported_step: int | None = None
    #: The checkpoint to go on from, or None.
    checkpoint: Path | None = None
    #: Save a checkpoint when the segment ends, since the trial may be promoted.
    checkpoint_at_end: bool = False
    #: How often the evaluator is called, each time with another seed; metrics are averaged.
    repeats: int = 1
    #: Seconds that the evaluator may run, or None.
    time_limit_s: float | None = None
    #: Resident bytes that the child and all it started may use, or None.
    memory_limit_bytes: int | None = None
    #: Device for the model, or "" for the slot's own.
    device: str = ""
    #: What it takes of a worker, such as ``{"gpu": 0.5}``; a local engine gives all that it has.
    requirements: Mapping[str, float] = field(default_factory=dict)
    #: Names of workers to avoid where another one is free.
    avoid: tuple[str, ...] = ()
    #: Order among waiting attempts of all experiments; smaller goes first.
    rank: float = 0.0
    #: What it takes relative to others of its experiment, such as FLOPs x epochs; None: unknown.
    cost: float | None = None
    #: Names of data and checkpoints that it reads; who has one is preferred when free.
    affinity: tuple[str, ...] = ()
    #: Where the process stands among those that run the attempt at once.
    place: Place = ALONE
    #: The job to run; None for a trial.
    job: JobCall | None = None


# --- how an attempt ends -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The evaluator returned, or the job did."""

    #: Checked: finite, all required ones present; none of a job.
    metrics: Mapping[str, float] = field(default_factory=dict)
    #: What a job put out, by name; at most ``OUTPUTS_LIMIT`` bytes of JSON. None of a trial.
    outputs: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The attempt gave no result."""

    #: The cause, which decides about a retry.
    kind: FailureKind
    #: Name of the exception's type, or of the cause when there was none.
    error_type: str
    #: One line or some, for people.
    message: str
    #: The traceback without MorphML's own frames, cut to 20,000 characters; may be empty.
    traceback: str = ""
    #: Equal for the same error at the same place of the code, whatever the values in its message.
    digest: str = ""
    #: Of a lost worker: nothing else ran there, so that the attempt may have been the cause.
    alone: bool = False
    #: The GPUs that it saw, as ``CUDA_VISIBLE_DEVICES`` called them; "" for none that were chosen.
    gpus: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The evaluator obeyed an order to stop."""

    #: What it returned or reported last; empty when it reported nothing.
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedAt:
    """The segment is over and the trial is not, or the evaluator obeyed an order to pause."""

    #: Epochs done at its newest checkpoint, announced before by ``Checkpointed``; 0 for none.
    step: int
    #: What the evaluator came to at the end of the segment; empty where an order ended it.
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The attempt ended because it was cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The attempt never began and goes back without blame: its worker left, or lost it."""


Outcome: TypeAlias = Succeeded | Failed | Stopped | PausedAt | Cancelled | Returned


# --- what an engine tells ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """User code began. An attempt that fails before has no such event."""

    token: AttemptToken
    #: Name of the slot, such as ``local-3``.
    worker: str
    #: Seconds since the Unix epoch.
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The evaluator reported."""

    token: AttemptToken
    step: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpointed:
    """A checkpoint lies complete on disk; it exists for others once its pointer is committed."""

    token: AttemptToken
    #: Epochs done.
    step: int
    path: Path
    #: Digest of the file's bytes.
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """The attempt wrote something."""

    token: AttemptToken
    #: ``stdout``, ``stderr``, or ``log`` for ``trial.log``.
    stream: str
    #: Decoded as UTF-8, what is not is replaced; not cut at line ends.
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The attempt is over; nothing about its token follows."""

    token: AttemptToken
    outcome: Outcome
    #: Name of the slot; of its machine when it reached a machine and no slot, else "".
    worker: str
    #: Seconds since the Unix epoch, by the clock of whoever ran it.
    started_at: float
    #: Seconds that user code ran.
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerGone:
    """A child process ended out of turn; its slot is being filled again."""

    worker: str
    #: For people, such as ``killed by SIGSEGV``.
    reason: str
    #: Seconds since the Unix epoch.
    at: float


EngineEvent: TypeAlias = Started | Reported | Checkpointed | Logged | Finished | WorkerGone


class Engine(Protocol):
    """Runs attempts. Driven by one thread."""

    @property
    def slots(self) -> int:
        """Attempts that run at the same time now; more may be submitted and wait in order."""
        ...

    @property
    def ahead(self) -> int:
        """How many tasks that wait already are worth submitting beyond ``slots``.

        More than 0 where tasks end sooner than whoever drives can hear of it and submit the next.
        """
        ...

    def prepare(self, experiment: ExperimentId, context: Context) -> None:
        """Make an experiment known, before its first ``submit``; a second call replaces it.

        Raises:
            EvaluatorError: when the evaluator cannot be loaded or cannot travel.
        """
        ...

    def submit(self, *assignments: Assignment) -> None:
        """Take attempts over, in order. Never waits.

        Raises:
            WorkerError: when the experiment was not prepared or the engine is closed.
        """
        ...

    def order(self, token: AttemptToken, order: Order) -> None:
        """Pass an order on. Never waits; a token that ended already is ignored."""
        ...

    def acknowledge(self, tokens: Sequence[AttemptToken]) -> None:
        """The ends of these attempts are stored: nobody has to keep them any more. Never waits."""
        ...

    def events(self, timeout_s: float) -> list[EngineEvent]:
        """What happened, in order; waits up to ``timeout_s`` seconds when nothing did.

        The engine lives in this call: time limits, logs and dispatch wait for it.
        """
        ...

    def close(self) -> None:
        """End everything that runs; no event follows, no process stays. May be called twice."""
        ...
