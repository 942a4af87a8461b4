"""The life of a job: when it may begin, and how it ended.

That an attempt runs, waits or is tried again is the business of its task (``scheduling.task``); the
job hears of the end only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias, assert_never

from morphml.scheduling.transitions import Table, check_known


class JobState(StrEnum):
    """Where a job of an execution stands."""

    #: Others that it depends on have not ended.
    WAITING = "waiting"
    #: Nothing holds it back but the execution's parallelism.
    READY = "ready"
    #: It has a task, which waits for a worker or runs.
    ACTIVE = "active"
    #: Its parts are under way; it ends with the last of them.
    FANNED_OUT = "fanned_out"
    #: Its outputs can be seen.
    SUCCEEDED = "succeeded"
    #: Its last attempt failed, or that of one of its parts.
    FAILED = "failed"
    #: It was not run: its condition did not hold, or nothing that it depends on has a result.
    SKIPPED = "skipped"
    #: The execution ended before it did.
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it, unless a person has it run again."""
        return self in _ENDED


_ENDED = frozenset(
    {JobState.SUCCEEDED, JobState.FAILED, JobState.SKIPPED, JobState.CANCELLED},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """All that it depends on have ended, and it is to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """All that it depends on have ended, and it is to run in parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """It is not to run."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueue:
    """There is room for it: its task is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeed:
    """Its task, or the last of its parts, succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """It cannot be run, or is tried no more."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The execution stops."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAgain:
    """A person wants another go, for it or for something that it depends on."""


JobEvent: TypeAlias = Release | FanOut | Skip | Enqueue | Succeed | Fail | Cancel | RunAgain

_S = JobState

TRANSITIONS: Table[JobState] = {
    (_S.WAITING, Release): (_S.READY,),
    (_S.WAITING, FanOut): (_S.FANNED_OUT,),
    (_S.WAITING, Skip): (_S.SKIPPED,),
    # Its condition or its list makes no sense once the values are known.
    (_S.WAITING, Fail): (_S.FAILED,),
    (_S.WAITING, Cancel): (_S.CANCELLED,),
    (_S.READY, Enqueue): (_S.ACTIVE,),
    (_S.READY, Cancel): (_S.CANCELLED,),
    (_S.ACTIVE, Succeed): (_S.SUCCEEDED,),
    (_S.ACTIVE, Fail): (_S.FAILED,),
    (_S.ACTIVE, Cancel): (_S.CANCELLED,),
    (_S.FANNED_OUT, Succeed): (_S.SUCCEEDED,),
    (_S.FANNED_OUT, Fail): (_S.FAILED,),
    (_S.FANNED_OUT, Cancel): (_S.CANCELLED,),
    (_S.SUCCEEDED, RunAgain): (_S.WAITING,),
    (_S.FAILED, RunAgain): (_S.WAITING,),
    (_S.SKIPPED, RunAgain): (_S.WAITING,),
    (_S.CANCELLED, RunAgain): (_S.WAITING,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLife:
    """A job of an execution between two events."""

    #: As the workflow calls it; a part of a fan-out is ``train[3]``.
    id: str
    state: JobState = JobState.WAITING
    #: Why it was skipped, failed or cancelled; empty otherwise.
    reason: str = ""


def step(life: JobLife, event: JobEvent) -> JobLife:
    """The job after ``event``.

    Raises:
        IllegalTransition: the table does not know the event in this state.
    """
    check_known(TRANSITIONS, f"job {life.id}", life.state, event)
    match event:
        case Release():
            return replace(life, state=JobState.READY)
        case FanOut():
            return replace(life, state=JobState.FANNED_OUT)
        case Enqueue():
            return replace(life, state=JobState.ACTIVE)
        case Succeed():
            return replace(life, state=JobState.SUCCEEDED)
        case Skip():
            return replace(life, state=JobState.SKIPPED, reason=event.reason)
        case Fail():
            return replace(life, state=JobState.FAILED, reason=event.reason)
        case Cancel():
            return replace(life, state=JobState.CANCELLED, reason=event.reason)
        case RunAgain():
            return replace(life, state=JobState.WAITING, reason="")
        case _:
            assert_never(event)
