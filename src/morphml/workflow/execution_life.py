"""The life of an execution: whether its jobs may begin, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias, assert_never

from morphml.scheduling.transitions import Table, check_known


class ExecutionState(StrEnum):
    """Where an execution stands."""

    #: Its jobs begin as they become ready.
    RUNNING = "running"
    #: No job begins; those that run may end.
    PAUSED = "paused"
    #: A job failed that must not: no job begins, and it fails once none runs.
    FAILING = "failing"
    #: All jobs ended, and none failed that must not.
    COMPLETED = "completed"
    #: A job failed that must not; it can be taken up again from there.
    FAILED = "failed"
    #: A person gave it up; it can be taken up again from there.
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it, unless a person has jobs run again."""
        return self in _ENDED


_ENDED = frozenset({ExecutionState.COMPLETED, ExecutionState.FAILED, ExecutionState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseExecution:
    """A person holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeExecution:
    """A person lets it go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBroke:
    """A job failed for good whose failure is that of the execution."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelExecution:
    """A person gives it up: no job begins any more, and what runs is cancelled."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AllEnded:
    """No job is left that runs or may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeUp:
    """A person has jobs of it run again."""


ExecutionEvent: TypeAlias = (
    PauseExecution | ResumeExecution | JobBroke | CancelExecution | AllEnded | TakeUp
)

_S = ExecutionState

TRANSITIONS: Table[ExecutionState] = {
    (_S.RUNNING, PauseExecution): (_S.PAUSED,),
    (_S.RUNNING, JobBroke): (_S.FAILING,),
    (_S.RUNNING, CancelExecution): (_S.CANCELLED,),
    (_S.RUNNING, AllEnded): (_S.COMPLETED,),
    # A job of a running execution may be run again while others go on.
    (_S.RUNNING, TakeUp): (_S.RUNNING,),
    (_S.PAUSED, PauseExecution): (_S.PAUSED,),
    (_S.PAUSED, ResumeExecution): (_S.RUNNING,),
    (_S.PAUSED, JobBroke): (_S.FAILING,),
    (_S.PAUSED, CancelExecution): (_S.CANCELLED,),
    # What ran when it was paused was the last.
    (_S.PAUSED, AllEnded): (_S.COMPLETED,),
    (_S.PAUSED, TakeUp): (_S.PAUSED,),
    (_S.FAILING, JobBroke): (_S.FAILING,),
    (_S.FAILING, CancelExecution): (_S.CANCELLED,),
    (_S.FAILING, AllEnded): (_S.FAILED,),
    (_S.COMPLETED, TakeUp): (_S.RUNNING,),
    (_S.FAILED, TakeUp): (_S.RUNNING,),
    (_S.CANCELLED, TakeUp): (_S.RUNNING,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionLife:
    """An execution between two events."""

    id: str
    state: ExecutionState = ExecutionState.RUNNING
    #: Why it fails or is cancelled; empty otherwise.
    reason: str = ""


def step(life: ExecutionLife, event: ExecutionEvent) -> ExecutionLife:
    """The execution after ``event``.

    Raises:
        IllegalTransition: the table does not know the event in this state.
    """
    check_known(TRANSITIONS, f"execution {life.id}", life.state, event)
    match event:
        case JobBroke() if life.state is ExecutionState.FAILING:
            return life  # the first reason stands
        case JobBroke():
            return replace(life, state=ExecutionState.FAILING, reason=event.reason)
        case CancelExecution():
            return replace(life, state=ExecutionState.CANCELLED, reason=event.reason)
        case TakeUp() if not life.state.ended:
            return life
        case PauseExecution() | ResumeExecution() | AllEnded() | TakeUp():
            (state,) = TRANSITIONS[life.state, type(event)]
            reason = life.reason if state.ended else ""
            return replace(life, state=state, reason=reason)
        case _:
            assert_never(event)
