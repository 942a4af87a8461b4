"""What a worker's message says, with every field checked before anything of it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from morphml.engines.port import Finished, Logged, Reported, Started
from morphml.engines.remote import announcing, checking, ends, wire
from morphml.engines.remote.checking import ProtocolError
from morphml.engines.remote.messages import AttemptName, Beat, CheckpointFile, Registration
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.ids import AttemptToken, ExperimentId


@dataclass(frozen=True, slots=True)
class Accepted:
    """Tasks lie in the worker's memory."""

    tokens: tuple[AttemptToken, ...]


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Tasks that never started."""

    tokens: tuple[AttemptToken, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint that was uploaded before."""

    token: AttemptToken
    checkpoint: CheckpointFile


@dataclass(frozen=True, slots=True)
class Result:
    """An attempt is over."""

    attempt: AttemptName
    end: Finished


@dataclass(frozen=True, slots=True)
class Prepared:
    """The worker is ready for an experiment that it was told of."""

    experiment: ExperimentId


@dataclass(frozen=True, slots=True)
class Draining:
    """The worker takes nothing more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """Nothing of the worker is left."""

    reason: str


Said: TypeAlias = (
    Registration
    | Beat
    | Accepted
    | Started
    | Reported
    | Logged
    | Saved
    | Result
    | GivenBack
    | Prepared
    | Draining
    | Leaving
)


def read_event(message: pb.WorkerEvent) -> Said:
    """What the event says.

    Raises:
        ProtocolError: when a field has another form, or nothing is in it that this master knows.
    """
    match message.WhichOneof("event"):
        case "beat":
            return announcing.beat_from_proto(message.beat)
        case "result":
            return Result(*ends.result_to_finished(message.result))
        case "accepted":
            return Accepted(checking.tokens(message.accepted.tokens))
        case "started" | "report" | "log":
            event = wire.event_from_proto(message)
            assert event is not None
            return event
        case "saved":
            checkpoint = wire.checkpoint_from_proto(message.saved)
            return Saved(checking.token(message.saved.token), checkpoint)
        case "returned":
            return GivenBack(checking.tokens(message.returned.tokens))
        case "registration":
            return announcing.registration_from_proto(message.registration)
        case "prepared":
            return Prepared(checking.experiment(message.prepared.experiment))
        case "draining":
            return Draining(checking.line(message.draining.reason, 200))
        case "leaving":
            return Leaving(checking.line(message.leaving.reason, 200))
        case _:
            raise ProtocolError("an event without anything in it")


def read_request(data: bytes) -> list[Said]:
    """All that one message of a stream says, in order.

    Raises:
        ProtocolError: when it is no message, or one of its events is none.
    """
    try:
        request = pb.WorkRequest.FromString(data)
    except Exception as error:  # noqa: BLE001  # the parser's own type depends on its build
        raise ProtocolError(f"bytes that are no message: {error}") from None
    return [read_event(event) for event in request.events]
