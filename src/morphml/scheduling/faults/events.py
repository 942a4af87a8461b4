"""What happens to attempts, as far as faults are concerned, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.failures import FailureKind

# --- what happens --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An attempt was sent to a worker whose breaker admits it."""

    worker: str
    token: AttemptToken
    #: Seconds of a clock that never goes back, as in all events.
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """An attempt ended well."""

    worker: str
    token: AttemptToken
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Broke:
    """An attempt failed at a worker."""

    worker: str
    token: AttemptToken
    at: float
    kind: FailureKind
    experiment: ExperimentId
    #: What is equal for equal failures: a digest of the error, or the name of the task.
    evidence: str
    #: Seconds that user code ran; 0 where it never began.
    lasted_s: float
    #: What a person reads.
    error: str
    #: Whether a worker that is not shut off could have run it.
    elsewhere: bool
    #: The one of several alike parts of the worker that ran it, such as a GPU. A worker keeps work
    #: from a broken part by itself, so a row of failures of one part alone does not shut it off.
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrew:
    """An attempt left its worker in a way that says nothing of it."""

    worker: str
    token: AttemptToken
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Something waits that no worker could run but this one, whose breaker is open."""

    worker: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The worker is not here any more; a fresh process of its machine is another worker."""

    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """Time went by."""

    at: float


FaultEvent: TypeAlias = Sent | Worked | Broke | Withdrew | Needed | Left | Ticked

# --- what follows --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBreaker:
    """Send the worker nothing, and tell people."""

    worker: str
    until: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Send the worker one attempt, and no second one while that is under way."""

    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitProbe:
    """The probe is under way: send the worker nothing more."""

    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseBreaker:
    """The worker is as good as any, and people are told."""

    worker: str


FaultCommand: TypeAlias = OpenBreaker | Probe | AwaitProbe | CloseBreaker
