"""The life of an experiment: when it may ask, and why it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias, assert_never

from morphml.ids import ExperimentId
from morphml.scheduling.transitions import Table, check_known


class ExperimentState(StrEnum):
    """Where an experiment stands."""

    #: Stored, not yet driven.
    CREATED = "created"
    #: Submitted: any master may drive it.
    QUEUED = "queued"
    #: A driver may ask and tell.
    RUNNING = "running"
    #: Stopped on purpose, or by an error of its driver; ``Resume`` goes on.
    PAUSED = "paused"
    #: A stop rule was met; only a larger budget goes on.
    COMPLETED = "completed"
    #: It cannot go on as it is described.
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first driver begins, or the first since it was submitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """A person leaves it to the masters; whichever has room drives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A person interrupts, or the driver stops with an error."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """A person lets it go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """A stop rule was met and no trial is pending, running or due for promotion."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """A rule was broken that no retry mends, such as a constraint that rejects everything."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """The budget was raised."""


ExperimentEvent: TypeAlias = Start | Submit | Pause | Resume | Finish | Fail | Extend


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """Fold the log and ask for proposals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAsking:
    """Begin no claim and no ask any more; what runs may end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreEnd:
    """Store the state and the reason that people read."""

    state: ExperimentState
    reason: str


ExperimentCommand: TypeAlias = Drive | StopAsking | StoreEnd

_S = ExperimentState

TRANSITIONS: Table[ExperimentState] = {
    (_S.CREATED, Start): (_S.RUNNING,),
    (_S.CREATED, Pause): (_S.PAUSED,),
    (_S.CREATED, Fail): (_S.FAILED,),
    (_S.CREATED, Submit): (_S.QUEUED,),
    # Again: with another priority.
    (_S.QUEUED, Submit): (_S.QUEUED,),
    (_S.QUEUED, Start): (_S.RUNNING,),
    (_S.QUEUED, Pause): (_S.PAUSED,),
    (_S.QUEUED, Fail): (_S.FAILED,),
    (_S.QUEUED, Extend): (_S.QUEUED,),
    (_S.RUNNING, Pause): (_S.PAUSED,),
    (_S.RUNNING, Finish): (_S.COMPLETED,),
    (_S.RUNNING, Fail): (_S.FAILED,),
    (_S.RUNNING, Extend): (_S.RUNNING,),
    (_S.PAUSED, Pause): (_S.PAUSED,),
    (_S.PAUSED, Resume): (_S.RUNNING,),
    (_S.PAUSED, Extend): (_S.PAUSED,),
    (_S.PAUSED, Submit): (_S.QUEUED,),
    (_S.COMPLETED, Extend): (_S.RUNNING,),
    # What broke may have been mended outside: an import, a data set, a device.
    (_S.FAILED, Resume): (_S.RUNNING,),
    (_S.FAILED, Submit): (_S.QUEUED,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentLife:
    """An experiment between two events."""

    id: ExperimentId
    state: ExperimentState = ExperimentState.CREATED
    #: Why it is paused, completed or failed; empty otherwise.
    reason: str = ""


Step: TypeAlias = tuple[ExperimentLife, tuple[ExperimentCommand, ...]]


def step(life: ExperimentLife, event: ExperimentEvent) -> Step:
    """The experiment after ``event``, and the commands that follow from it.

    Raises:
        IllegalTransition: the table does not know the event in this state.
    """
    check_known(TRANSITIONS, f"experiment {life.id}", life.state, event)
    match event:
        case Start() | Resume():
            return replace(life, state=ExperimentState.RUNNING, reason=""), (Drive(),)
        case Submit():
            return replace(life, state=ExperimentState.QUEUED, reason=""), ()
        case Pause():
            if life.state is ExperimentState.PAUSED:
                return life, ()
            return _stop(life, ExperimentState.PAUSED, event.reason)
        case Finish():
            return _stop(life, ExperimentState.COMPLETED, event.reason)
        case Fail():
            return _stop(life, ExperimentState.FAILED, event.reason)
        case Extend():
            if life.state is ExperimentState.COMPLETED:
                return replace(life, state=ExperimentState.RUNNING, reason=""), (Drive(),)
            return life, ()
        case _:
            assert_never(event)


def _stop(life: ExperimentLife, state: ExperimentState, reason: str) -> Step:
    stopped = replace(life, state=state, reason=reason)
    return stopped, (StopAsking(), StoreEnd(state=state, reason=reason))
