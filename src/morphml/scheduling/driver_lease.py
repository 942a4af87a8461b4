"""Who drives an experiment: at most one master, fenced by an epoch and a nonce."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias, assert_never

from morphml.ids import ExperimentId, SessionId
from morphml.scheduling.transitions import Table, check_known


class DriverState(StrEnum):
    """Whether somebody drives."""

    #: Anybody may take it.
    FREE = "free"
    #: One session drives.
    HELD = "held"
    #: The experiment does not run; nobody drives.
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A session takes the lease."""

    session: SessionId
    #: Random secret of this takeover.
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """The holder lets go on purpose."""

    epoch: int
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded:
    """A session closed or expired."""

    session: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The experiment was paused, completed or failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The experiment runs again."""


DriverEvent: TypeAlias = Taken | GivenUp | SessionEnded | Closed | Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldLog:
    """The session reads the log from the start, then drives."""

    session: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class DropMemory:
    """The session forgets what it knows of the experiment; its transactions are refused."""

    session: SessionId


DriverCommand: TypeAlias = FoldLog | DropMemory

_S = DriverState

TRANSITIONS: Table[DriverState] = {
    (_S.FREE, Taken): (_S.HELD,),
    (_S.FREE, GivenUp): (_S.FREE,),
    (_S.FREE, SessionEnded): (_S.FREE,),
    (_S.FREE, Closed): (_S.CLOSED,),
    # A holder that was overtaken may let go, or end, long after: the fence tells them apart.
    (_S.HELD, GivenUp): (_S.FREE, _S.HELD),
    (_S.HELD, SessionEnded): (_S.FREE, _S.HELD),
    (_S.HELD, Closed): (_S.CLOSED,),
    (_S.CLOSED, GivenUp): (_S.CLOSED,),
    (_S.CLOSED, SessionEnded): (_S.CLOSED,),
    (_S.CLOSED, Closed): (_S.CLOSED,),
    (_S.CLOSED, Opened): (_S.FREE,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverLease:
    """The right to drive one experiment, between two events."""

    experiment: ExperimentId
    state: DriverState = DriverState.FREE
    #: Counts takeovers; never falls.
    epoch: int = 0
    #: Set exactly while held.
    session: SessionId | None = None
    #: Set exactly while held.
    nonce: str | None = None

    def admits(self, epoch: int, nonce: str) -> bool:
        """Whether a transaction that carries this fence may commit."""
        held = self.state is DriverState.HELD
        return held and self.epoch == epoch and self.nonce == nonce


Step: TypeAlias = tuple[DriverLease, tuple[DriverCommand, ...]]


def step(lease: DriverLease, event: DriverEvent) -> Step:
    """The lease after ``event``, and the commands that follow from it.

    Raises:
        IllegalTransition: it is taken while held or closed, or opened while open.
    """
    check_known(TRANSITIONS, f"driver of {lease.experiment}", lease.state, event)
    match event:
        case Taken():
            held = replace(
                lease,
                state=DriverState.HELD,
                epoch=lease.epoch + 1,
                session=event.session,
                nonce=event.nonce,
            )
            return held, (FoldLog(session=event.session),)
        case GivenUp():
            leaving = lease.admits(event.epoch, event.nonce)
            return _let_go(lease, DriverState.FREE) if leaving else (lease, ())
        case SessionEnded():
            return (
                _let_go(lease, DriverState.FREE) if lease.session == event.session else (lease, ())
            )
        case Closed():
            return _let_go(lease, DriverState.CLOSED)
        case Opened():
            return replace(lease, state=DriverState.FREE), ()
        case _:
            assert_never(event)


def _let_go(lease: DriverLease, state: DriverState) -> Step:
    commands = () if lease.session is None else (DropMemory(session=lease.session),)
    return replace(lease, state=state, session=None, nonce=None), commands
