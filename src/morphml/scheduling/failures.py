"""Why an attempt failed, told apart because each kind is answered in another way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from morphml.ids import AttemptToken


class FailureKind(StrEnum):
    """The cause of a failed attempt, as seen by whoever ran it."""

    #: The evaluator raised, or broke its contract (NaN, missing objective).
    USER_ERROR = "user_error"
    #: The attempt needed more memory than its limit or the device has.
    OUT_OF_MEMORY = "out_of_memory"
    #: The attempt ran longer than its time limit and was killed.
    TIME_LIMIT = "time_limit"
    #: The child process died without an answer (signal, ``os._exit``).
    CRASH = "crash"
    #: The worker vanished with the attempt.
    LOST_WORKER = "lost_worker"
    #: The machine took the slot back (spot instance, node drain, higher priority).
    PREEMPTED = "preempted"
    #: It failed before user code began: import, data, CUDA, disk.
    INFRASTRUCTURE = "infrastructure"


#: Kinds for which the machines are at fault: the task is tried again, and ends dead, not failed.
INFRASTRUCTURE_KINDS = frozenset(
    {FailureKind.INFRASTRUCTURE, FailureKind.LOST_WORKER, FailureKind.PREEMPTED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed attempt, as it is kept with its task."""

    kind: FailureKind
    #: Name of the worker that ran it.
    worker: str
    #: Seconds since the Unix epoch.
    at: float
    #: Digest of the error's type and place; equal errors have equal ones. Empty when unknown.
    digest: str = ""
    #: What a person reads.
    message: str = ""
    #: The attempt that it ended; None where nobody asks.
    token: AttemptToken | None = None


def counts_for_quarantine(kind: FailureKind, *, own_child_died: bool, ran_alone: bool) -> bool:
    """Whether a failed attempt speaks against its worker.

    Only attempts whose own child died, or that ran alone on the worker, do: others may be victims
    of a neighbour. A time limit reached, a preemption and a lost worker are never the node's doing.
    """
    match kind:
        case FailureKind.TIME_LIMIT | FailureKind.PREEMPTED | FailureKind.LOST_WORKER:
            return False
        case (
            FailureKind.USER_ERROR
            | FailureKind.OUT_OF_MEMORY
            | FailureKind.CRASH
            | FailureKind.INFRASTRUCTURE
        ):
            return own_child_died or ran_alone
        case _:
            assert_never(kind)
