"""What the engine, its provider and the workers on the nodes tell each other, as JSON.

Nothing here is a pickle: whatever comes from a node is read as text.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from morphml.engines.ray.planning import Posting, SlotShape
from morphml.engines.ray.settings import RaySettings

_READ = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Summons:
    """What a worker must know to serve: whom to dial, and as whom. Holds a secret."""

    #: Masters, ``host:port``.
    masters: tuple[str, ...]
    #: "" where masters want none.
    token: str
    #: Certificate of the authority that signed the masters', in PEM; "" for plaintext.
    authority: str = ""
    #: Folders for imports, as the master's process has them.
    path: tuple[str, ...] = ()
    #: See ``RaySettings.give_up_after_s``.
    give_up_after_s: float = 16.0
    #: Whether code that masters send as a pickle is run.
    allow_pickle: bool = False
    #: Whether other masters may take the workers over when this one has gone.
    adoptable: bool = False

    def fields(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """From a JSON object."""
        known = dict(fields)
        known["masters"], known["path"] = tuple(known["masters"]), tuple(known["path"])
        return cls(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One worker on one node."""

    summons: Summons
    name: str
    slots: int
    #: Whether the GPUs that Ray has given are to be used.
    gpus: bool
    offers: Mapping[str, float]

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """From JSON."""
        fields = json.loads(text)
        return cls(**{**fields, "summons": Summons.of(fields["summons"])})


def posting_to_json(name: str, posting: Posting) -> dict[str, Any]:
    """A worker that was asked for, as a JSON object."""
    return {"name": name, **asdict(posting)}


def posting_of(fields: Mapping[str, Any]) -> tuple[str, Posting]:
    """Name and posting in a JSON object."""
    rest = dict(fields)
    return rest.pop("name"), Posting(**rest)


def settings_to_json(settings: RaySettings) -> dict[str, Any]:
    """The settings as a JSON object."""
    return asdict(settings)


def settings_of(fields: Mapping[str, Any]) -> RaySettings:
    """The settings in a JSON object."""
    shape, backoff = SlotShape(**fields["shape"]), tuple(fields["backoff_s"])
    return RaySettings(**{**fields, "shape": shape, "backoff_s": backoff})


class Line:
    """One end of a connection that carries JSON objects, a line each.

    Args:
        end: a connected socket; closed by ``close``.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._buffer = bytearray()

    def say(self, **message: object) -> None:
        """Send an object; nothing happens when nobody is there any more."""
        with contextlib.suppress(OSError):
            self._end.sendall(json.dumps(message).encode() + b"\n")

    def hear(self, timeout_s: float) -> list[dict[str, Any]] | None:
        """What came, waiting up to ``timeout_s`` seconds for it; None when the other has gone."""
        self._end.settimeout(max(timeout_s, 0.001))
        try:
            data = self._end.recv(_READ)
        except TimeoutError:
            return []
        except OSError:
            return None
        if not data:
            return None
        self._buffer += data
        return list(self._lines())

    def close(self) -> None:
        """End the connection; the other side hears None. May be called twice."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()

    def _lines(self) -> Iterator[dict[str, Any]]:
        while (at := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:at])
            del self._buffer[: at + 1]
            yield json.loads(line)
