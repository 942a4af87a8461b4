"""A breaker for one worker or one experiment: after failures in a row nothing more is sent.

closed: everything passes. open: nothing passes until ``retry_at``. half open: one probe at a time
passes; its end decides. Each opening in a row doubles the wait up to a cap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias, assert_never

from morphml.errors import IllegalTransition
from morphml.scheduling.transitions import Table, check_known


class BreakerState(StrEnum):
    """Whether work passes."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A task was sent through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """A task ended well, or failed for a reason that does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broke:
    """A task failed in a way that counts; for workers see ``faults.workers``."""

    #: Seconds since the Unix epoch.
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrew:
    """The probe ended in a way that says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Nobody else could do what waits: better a probe now than nothing until ``retry_at``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """Time went by."""

    #: Seconds since the Unix epoch.
    at: float


BreakerEvent: TypeAlias = Passed | Worked | Broke | Withdrew | Needed | Ticked


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """Send nothing more until ``retry_at``, and tell people."""

    retry_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Let one task through to see whether it works again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """Everything passes again; tell people."""


BreakerCommand: TypeAlias = Trip | Probe | Restore

_S = BreakerState

TRANSITIONS: Table[BreakerState] = {
    (_S.CLOSED, Passed): (_S.CLOSED,),
    (_S.CLOSED, Worked): (_S.CLOSED,),
    (_S.CLOSED, Broke): (_S.CLOSED, _S.OPEN),
    (_S.CLOSED, Withdrew): (_S.CLOSED,),
    (_S.CLOSED, Needed): (_S.CLOSED,),
    (_S.CLOSED, Ticked): (_S.CLOSED,),
    # Tasks that were under way when it opened still end; they say nothing new.
    (_S.OPEN, Worked): (_S.OPEN,),
    (_S.OPEN, Broke): (_S.OPEN,),
    (_S.OPEN, Withdrew): (_S.OPEN,),
    (_S.OPEN, Needed): (_S.HALF_OPEN,),
    (_S.OPEN, Ticked): (_S.OPEN, _S.HALF_OPEN),
    (_S.HALF_OPEN, Passed): (_S.HALF_OPEN,),
    (_S.HALF_OPEN, Worked): (_S.CLOSED,),
    (_S.HALF_OPEN, Broke): (_S.OPEN,),
    (_S.HALF_OPEN, Withdrew): (_S.HALF_OPEN,),
    (_S.HALF_OPEN, Needed): (_S.HALF_OPEN,),
    (_S.HALF_OPEN, Ticked): (_S.HALF_OPEN,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRule:
    """When it opens and for how long."""

    #: Counted failures in a row that open it; >= 1.
    threshold: int = 3
    #: Seconds of the first opening.
    cool_s: float = 30.0
    #: Seconds that no opening exceeds.
    longest_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """A breaker between two events."""

    #: Name of the worker or experiment.
    id: str
    state: BreakerState = BreakerState.CLOSED
    #: Counted failures in a row.
    failures: int = 0
    #: Openings since it was last closed.
    openings: int = 0
    #: Seconds since the Unix epoch at which an open one lets a probe pass.
    retry_at: float = 0.0
    #: Whether the probe of a half-open one is under way.
    probing: bool = False

    @property
    def admits(self) -> bool:
        """Whether a task may be sent now."""
        match self.state:
            case BreakerState.CLOSED:
                return True
            case BreakerState.OPEN:
                return False
            case BreakerState.HALF_OPEN:
                return not self.probing
            case _:
                assert_never(self.state)


Step: TypeAlias = tuple[Breaker, tuple[BreakerCommand, ...]]

_DEFAULT_RULE = BreakerRule()


def step(breaker: Breaker, event: BreakerEvent, rule: BreakerRule = _DEFAULT_RULE) -> Step:
    """The breaker after ``event``, and the commands that follow from it.

    Raises:
        IllegalTransition: a task was sent through an open breaker, or a second probe.
    """
    check_known(TRANSITIONS, f"breaker {breaker.id}", breaker.state, event)
    match event:
        case Passed():
            return _pass(breaker, event)
        case Worked():
            return _work(breaker)
        case Broke():
            return _break(breaker, event, rule)
        case Withdrew():
            was_probing = breaker.probing
            return replace(breaker, probing=False), (Probe(),) if was_probing else ()
        case Needed():
            return _let_probe(breaker)
        case Ticked():
            return _let_probe(breaker) if event.at >= breaker.retry_at else (breaker, ())
        case _:
            assert_never(event)


def _let_probe(breaker: Breaker) -> Step:
    if breaker.state is not BreakerState.OPEN:
        return breaker, ()
    return replace(breaker, state=BreakerState.HALF_OPEN, probing=False), (Probe(),)


def _pass(breaker: Breaker, event: Passed) -> Step:
    if not breaker.admits:
        story = ("its probe is under way",)
        raise IllegalTransition(
            f"breaker {breaker.id}", state=breaker.state, event=event, story=story
        )
    return replace(breaker, probing=breaker.state is BreakerState.HALF_OPEN), ()


def _work(breaker: Breaker) -> Step:
    match breaker.state:
        case BreakerState.CLOSED:
            return replace(breaker, failures=0), ()
        case BreakerState.OPEN:
            return breaker, ()
        case BreakerState.HALF_OPEN:
            return Breaker(id=breaker.id), (Restore(),)
        case _:
            assert_never(breaker.state)


def _break(breaker: Breaker, event: Broke, rule: BreakerRule) -> Step:
    if breaker.state is BreakerState.OPEN:
        return breaker, ()
    failures = breaker.failures + 1
    if breaker.state is BreakerState.CLOSED and failures < rule.threshold:
        return replace(breaker, failures=failures), ()
    wait = min(rule.cool_s * 2.0**breaker.openings, rule.longest_s)
    opened = replace(
        breaker,
        state=BreakerState.OPEN,
        failures=failures,
        openings=breaker.openings + 1,
        retry_at=event.at + wait,
        probing=False,
    )
    return opened, (Trip(retry_at=opened.retry_at),)
