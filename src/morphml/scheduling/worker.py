"""The life of a worker as a master sees it: how many slots are free, and whether it is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias, assert_never

from morphml.ids import AttemptToken
from morphml.scheduling.transitions import Table, check_known


class WorkerState(StrEnum):
    """Where a worker stands."""

    #: Known, but it has not said what it offers.
    JOINING = "joining"
    #: Nothing runs.
    IDLE = "idle"
    #: Something runs; slots may still be free.
    BUSY = "busy"
    #: Takes nothing more and leaves when it is done.
    DRAINING = "draining"
    #: Its stream broke or beats are missed; nothing is sent, nothing is taken from it yet.
    SUSPECT = "suspect"
    #: Silent for too long; its attempts were given up. It may come back.
    LOST = "lost"
    #: It left for good.
    GONE = "gone"


#: It is there and takes what is sent.
OPEN: Final = frozenset({WorkerState.IDLE, WorkerState.BUSY})
#: It is not there any more, and has nothing.
AWAY: Final = frozenset({WorkerState.LOST, WorkerState.GONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """It joins, or comes back after a break, and says what it offers and runs."""

    #: Attempts that it can run at once; >= 1.
    slots: int
    attempts: tuple[AttemptToken, ...] = ()
    #: Seconds since the Unix epoch.
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """An attempt was sent to it."""

    token: AttemptToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """An attempt ended, was returned, or its kill was confirmed."""

    token: AttemptToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Any message came from it; each counts as a beat."""

    #: Seconds since the Unix epoch.
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamBroke:
    """Its connection or pipe closed."""

    #: Seconds since the Unix epoch.
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTicked:
    """Time went by."""

    #: Seconds since the Unix epoch.
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """A person or an autoscaler wants it gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """It said goodbye, or its process is known to have ended."""


WorkerEvent: TypeAlias = (
    Announced | Assigned | Released | Heard | StreamBroke | ClockTicked | Drain | Left
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUpAttempts:
    """These attempts are lost with their worker."""

    tokens: tuple[AttemptToken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend:
    """Send it nothing for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismiss:
    """Tell it that it may leave."""


WorkerCommand: TypeAlias = GiveUpAttempts | Suspend | Dismiss

_S = WorkerState
_AWAKE = (_S.IDLE, _S.BUSY, _S.DRAINING)

TRANSITIONS: Table[WorkerState] = {
    (_S.JOINING, Announced): (_S.IDLE, _S.BUSY),
    (_S.JOINING, ClockTicked): (_S.JOINING, _S.LOST),
    (_S.JOINING, StreamBroke): (_S.SUSPECT,),
    (_S.JOINING, Heard): (_S.JOINING,),
    (_S.JOINING, Drain): (_S.GONE,),
    (_S.JOINING, Left): (_S.GONE,),
    (_S.IDLE, Announced): (_S.IDLE, _S.BUSY),
    (_S.IDLE, Assigned): (_S.BUSY,),
    (_S.IDLE, Released): (_S.IDLE,),
    (_S.IDLE, Heard): (_S.IDLE,),
    (_S.IDLE, StreamBroke): (_S.SUSPECT,),
    (_S.IDLE, ClockTicked): (_S.IDLE, _S.SUSPECT, _S.LOST),
    (_S.IDLE, Drain): (_S.GONE,),
    (_S.IDLE, Left): (_S.GONE,),
    (_S.BUSY, Announced): (_S.IDLE, _S.BUSY),
    (_S.BUSY, Assigned): (_S.BUSY,),
    (_S.BUSY, Released): (_S.IDLE, _S.BUSY),
    (_S.BUSY, Heard): (_S.BUSY,),
    (_S.BUSY, StreamBroke): (_S.SUSPECT,),
    (_S.BUSY, ClockTicked): (_S.BUSY, _S.SUSPECT, _S.LOST),
    (_S.BUSY, Drain): (_S.DRAINING,),
    (_S.BUSY, Left): (_S.GONE,),
    (_S.DRAINING, Announced): (_S.DRAINING, _S.GONE),
    (_S.DRAINING, Released): (_S.DRAINING, _S.GONE),
    (_S.DRAINING, Heard): (_S.DRAINING,),
    (_S.DRAINING, StreamBroke): (_S.SUSPECT,),
    (_S.DRAINING, ClockTicked): (_S.DRAINING, _S.SUSPECT, _S.LOST),
    (_S.DRAINING, Drain): (_S.DRAINING,),
    (_S.DRAINING, Left): (_S.GONE,),
    (_S.SUSPECT, Announced): (_S.IDLE, _S.BUSY, _S.DRAINING, _S.GONE),
    (_S.SUSPECT, Released): (_S.SUSPECT,),
    # A beat clears missed beats, not a broken stream: that one takes an announcement.
    (_S.SUSPECT, Heard): (_S.SUSPECT, _S.IDLE, _S.BUSY, _S.DRAINING),
    (_S.SUSPECT, StreamBroke): (_S.SUSPECT,),
    (_S.SUSPECT, ClockTicked): (_S.SUSPECT, _S.LOST),
    (_S.SUSPECT, Drain): (_S.SUSPECT,),
    (_S.SUSPECT, Left): (_S.GONE,),
    (_S.LOST, Announced): (_S.IDLE, _S.BUSY, _S.DRAINING, _S.GONE),
    (_S.LOST, Released): (_S.LOST,),
    (_S.LOST, Heard): (_S.LOST,),
    (_S.LOST, StreamBroke): (_S.LOST,),
    (_S.LOST, ClockTicked): (_S.LOST,),
    (_S.LOST, Drain): (_S.GONE,),
    (_S.LOST, Left): (_S.GONE,),
    (_S.GONE, Released): (_S.GONE,),
    (_S.GONE, Heard): (_S.GONE,),
    (_S.GONE, StreamBroke): (_S.GONE,),
    (_S.GONE, ClockTicked): (_S.GONE,),
    (_S.GONE, Drain): (_S.GONE,),
    (_S.GONE, Left): (_S.GONE,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRule:
    """How long silence is borne."""

    #: Seconds of silence that make it suspect.
    suspect_after_s: float = 5.0
    #: Seconds after a broken stream within which it must announce itself to some master.
    announce_within_s: float = 3.0
    #: Seconds of silence that make it lost.
    lost_after_s: float = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker between two events."""

    id: str
    state: WorkerState = WorkerState.JOINING
    #: Attempts that it can run at once; 0 before it announced itself.
    slots: int = 0
    #: Attempts sent to it and not ended.
    attempts: frozenset[AttemptToken] = frozenset()
    #: Whether it was told to leave.
    leaving: bool = False
    #: Seconds since the Unix epoch of its last message, or of when it became known.
    heard_at: float
    #: When its stream broke; None while it stands.
    broke_at: float | None = None

    @property
    def free_slots(self) -> int:
        """How many attempts it may be sent now."""
        if self.state not in OPEN:
            return 0
        return max(0, self.slots - len(self.attempts))


Step: TypeAlias = tuple[Worker, tuple[WorkerCommand, ...]]

_DEFAULT_RULE = WorkerRule()


def step(worker: Worker, event: WorkerEvent, rule: WorkerRule = _DEFAULT_RULE) -> Step:
    """The worker after ``event``, and the commands that follow from it.

    Raises:
        IllegalTransition: the table does not know the event in this state.
    """
    check_known(TRANSITIONS, f"worker {worker.id}", worker.state, event)
    match event:
        case Announced():
            return _announce(worker, event)
        case Assigned():
            return _settle(replace(worker, attempts=worker.attempts | {event.token}))
        case Released():
            return _release(worker, event)
        case Heard():
            return _hear(worker, event)
        case StreamBroke():
            return _break(worker, event)
        case ClockTicked():
            return _tick(worker, event, rule)
        case Drain():
            return _drain(worker)
        case Left():
            return _leave(worker, WorkerState.GONE)
        case _:
            assert_never(event)


def _settle(worker: Worker) -> Step:
    """The awake state that its attempts and orders call for."""
    if not worker.leaving:
        state = WorkerState.BUSY if worker.attempts else WorkerState.IDLE
        return replace(worker, state=state), ()
    if worker.attempts:
        return replace(worker, state=WorkerState.DRAINING), ()
    return replace(worker, state=WorkerState.GONE), (Dismiss(),)


def _announce(worker: Worker, event: Announced) -> Step:
    """Take its word for what it runs; what it does not name any more is given up."""
    attempts = frozenset(event.attempts)
    forgotten = worker.attempts - attempts
    here = replace(worker, slots=event.slots, attempts=attempts, heard_at=event.at, broke_at=None)
    settled, commands = _settle(here)
    return settled, (*_give_up(forgotten), *commands)


def _release(worker: Worker, event: Released) -> Step:
    freed = replace(worker, attempts=worker.attempts - {event.token})
    return _settle(freed) if worker.state in _AWAKE else (freed, ())


def _hear(worker: Worker, event: Heard) -> Step:
    heard = replace(worker, heard_at=max(event.at, worker.heard_at))
    if worker.state is WorkerState.SUSPECT and worker.broke_at is None:
        return _settle(heard)
    return heard, ()


def _break(worker: Worker, event: StreamBroke) -> Step:
    if worker.state in AWAY:
        return worker, ()
    broke_at = event.at if worker.broke_at is None else worker.broke_at
    return replace(worker, state=WorkerState.SUSPECT, broke_at=broke_at), (Suspend(),)


def _tick(worker: Worker, event: ClockTicked, rule: WorkerRule) -> Step:
    if worker.state in AWAY:
        return worker, ()
    silence = event.at - worker.heard_at
    overdue = worker.broke_at is not None and event.at - worker.broke_at >= rule.announce_within_s
    if overdue or silence >= rule.lost_after_s:
        return _leave(worker, WorkerState.LOST)
    if worker.state in _AWAKE and silence >= rule.suspect_after_s:
        return replace(worker, state=WorkerState.SUSPECT), (Suspend(),)
    return worker, ()


def _drain(worker: Worker) -> Step:
    leaving = replace(worker, leaving=True)
    match worker.state:
        case WorkerState.SUSPECT | WorkerState.GONE:
            return leaving, ()
        case WorkerState.JOINING | WorkerState.LOST:
            return replace(leaving, state=WorkerState.GONE), (Dismiss(),)
        case WorkerState.IDLE | WorkerState.BUSY | WorkerState.DRAINING:
            return _settle(leaving)
        case _:
            assert_never(worker.state)


def _leave(worker: Worker, state: WorkerState) -> Step:
    away = replace(worker, state=state, attempts=frozenset(), broke_at=None)
    return away, _give_up(worker.attempts)


def _give_up(tokens: frozenset[AttemptToken]) -> tuple[WorkerCommand, ...]:
    return (GiveUpAttempts(tokens=tuple(sorted(tokens))),) if tokens else ()
