"""What is to be done after the book of a hub decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from morphml.engines.port import Order
from morphml.engines.remote.hub.attempt import Attempt
from morphml.engines.remote.messages import AttemptName
from morphml.ids import AttemptToken, ExperimentId


@dataclass(frozen=True, slots=True)
class SendTask:
    """Send the attempt to its worker."""

    worker: str
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class SendContext:
    """Tell the worker of the experiment, unless it was told on this stream."""

    worker: str
    experiment: ExperimentId


@dataclass(frozen=True, slots=True)
class SendOrder:
    """Tell the worker what the attempt is to do."""

    worker: str
    token: AttemptToken
    order: Order


@dataclass(frozen=True, slots=True)
class SendAcknowledged:
    """The worker may forget the result."""

    worker: str
    token: AttemptToken


@dataclass(frozen=True, slots=True)
class SendVerdict:
    """Tell the worker to keep an attempt, or to kill and forget it."""

    worker: str
    token: AttemptToken
    keep: bool


@dataclass(frozen=True, slots=True)
class SendDrain:
    """Tell the worker to take nothing more and to leave when it is done."""

    worker: str
    reason: str
    #: Seconds for what runs there; None for the worker's own.
    grace_s: float | None


@dataclass(frozen=True, slots=True)
class CloseStream:
    """End the worker's stream, so that it dials again."""

    worker: str
    reason: str


@dataclass(frozen=True, slots=True)
class AskRecords:
    """Find out what the store knows of attempts that nobody here knows, then ``Book.resolve``."""

    worker: str
    names: tuple[AttemptName, ...]


Command: TypeAlias = (
    SendTask
    | SendContext
    | SendOrder
    | SendAcknowledged
    | SendVerdict
    | SendDrain
    | CloseStream
    | AskRecords
)
