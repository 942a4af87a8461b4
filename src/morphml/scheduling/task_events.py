"""What happens to a task, what is done about it, and its states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from morphml.ids import AttemptToken, SessionId
from morphml.scheduling.failures import Failure


class TaskState(StrEnum):
    """Where a task stands."""

    #: Waits for a slot; not claimed before ``ready_at``.
    PENDING = "pending"
    #: Queued at a worker, not started; may go back without an attempt.
    LEASED = "leased"
    #: An attempt runs the evaluator.
    RUNNING = "running"
    #: Waits at a rung for a promotion; holds no slot.
    PAUSED = "paused"
    #: The result is stored.
    SUCCEEDED = "succeeded"
    #: It failed by its own fault.
    FAILED = "failed"
    #: A person or the search took it back.
    CANCELLED = "cancelled"
    #: The machines failed it more often than the retry rule allows.
    DEAD = "dead"


#: States that nothing leaves.
FINAL_STATES = frozenset(
    {TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED, TaskState.DEAD}
)


# --- events --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A master took the task for a free slot."""

    token: AttemptToken
    holder: SessionId
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The worker began to run the attempt; may be said again after a broken stream."""

    token: AttemptToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The attempt has a result; may be sent again until it is acknowledged."""

    token: AttemptToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The attempt ended without a result."""

    token: AttemptToken
    failure: Failure
    #: Workers of the experiment that showed this error, by any task.
    seen_on: int = 0
    #: Whether a worker that has not failed this task could run it.
    elsewhere: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The worker gave the task back without blame, or did not know it any more."""

    token: AttemptToken
    #: Seconds since the Unix epoch.
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The lease ran out: worker or holder is silent. Means nothing once another holder adopted."""

    token: AttemptToken
    holder: SessionId
    #: Seconds since the Unix epoch.
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """The worker announced its attempt to another master, or came back after it was given up."""

    token: AttemptToken
    holder: SessionId
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Yielded:
    """The attempt stopped at a rung and its checkpoint is safe."""

    token: AttemptToken
    #: Epochs done.
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A promotion lets a paused task go on."""

    #: Seconds since the Unix epoch.
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """A person or the search takes the task back; comes first or does nothing."""


TaskEvent: TypeAlias = (
    Claimed | Started | Succeeded | Failed | Returned | Lost | Adopted | Yielded | Resumed | Cancel
)


# --- commands ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """Send the attempt to the worker."""

    token: AttemptToken
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreResult:
    """Store the attempt's result; given once in a task's life."""

    token: AttemptToken


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePause:
    """Store the pointer to the checkpoint and the pause; then the slot is free."""

    token: AttemptToken
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeue:
    """Put the task back among the pending."""

    #: Seconds since the Unix epoch before which it is not claimed.
    ready_at: float
    #: Workers that should not run it, as long as another one can.
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclude:
    """Store that the task ended without a result, with every attempt's error."""

    state: TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAttempt:
    """Tell the worker to kill the attempt; the slot is free when it confirms."""

    token: AttemptToken
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Answer ``stored``: the worker may forget the result."""

    token: AttemptToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Answer that the attempt is not the task's any more: the worker kills and forgets it."""

    token: AttemptToken


TaskCommand: TypeAlias = (
    Dispatch | StoreResult | StorePause | Requeue | Conclude | StopAttempt | Acknowledge | Refuse
)
