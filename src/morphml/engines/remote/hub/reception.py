"""Who is taken as a worker, and what it is told about that."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from morphml.engines.remote.hub.connection import Connection
from morphml.engines.remote.hub.settings import HubSettings
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.engines.remote.messages import PROTOCOL, Registration
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.ids import SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a master says of itself in each welcome."""

    session: SessionId
    #: Version of MorphML.
    version: str
    #: Identity of the store.
    store: str = ""
    #: Other masters, as ``host:port``.
    masters: Sequence[str] = ()


def refusal(registration: Registration, version: str) -> str:
    """Why the worker is not taken, or an empty text.

    The numbers of the protocol must be equal, and so must the first two parts of MorphML's version.
    """
    if registration.protocol != PROTOCOL:
        return (
            f"this master speaks protocol {PROTOCOL}, the worker {registration.protocol}; "
            f"install MorphML {version} on the worker"
        )
    if _release(registration.morphml_version) != _release(version):
        return (
            f"this master runs MorphML {version}, the worker {registration.morphml_version}; "
            f"install MorphML {version} on the worker"
        )
    return ""


def warning(registration: Registration, version: str, python: str) -> str:
    """What the operator should know, or an empty text."""
    found = []
    if registration.morphml_version != version:
        found.append(f"MorphML {registration.morphml_version} here, {version} on the master")
    if _release(registration.python_version) != _release(python):
        found.append(
            f"Python {registration.python_version} here, {python} on the master: evaluators that "
            "travel by value may not load"
        )
    return "; ".join(found)


def receive(
    registration: Registration,
    peer: str,
    connection: Connection,
    switchboard: Switchboard,
    identity: Callable[[], Identity],
) -> pb.Welcome:
    """Take a worker in, and answer its registration; with ``refusal`` filled in it is not taken.

    Under the lock: it is told of all masters that its welcome does not name.

    Args:
        registration: what the worker says of itself.
        peer: where it speaks from.
        connection: leads to it; the welcome is queued where that is a stream.
        switchboard: of the hub.
        identity: what the master says of itself.
    """
    with switchboard.lock:
        answer = _welcome(registration, switchboard.settings, identity())
        if not answer.refusal:
            if not connection.polled:
                connection.outbox.put(pb.MasterEvent(welcome=answer))
            switchboard.connect(connection)
            switchboard.act(lambda book, now: book.workers.announce(registration, peer, now))
        return answer


def _welcome(registration: Registration, settings: HubSettings, us: Identity) -> pb.Welcome:
    return pb.Welcome(
        master=us.session,
        protocol=PROTOCOL,
        beat_s=settings.beat_s,
        patience_s=settings.patience_s,
        store=us.store,
        masters=us.masters,
        refusal=refusal(registration, us.version),
        warning=warning(registration, us.version, platform.python_version()),
    )


def _release(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])
