"""Server-sent events, read from lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in an execution."""

    #: 1, 2, 3 ... in each execution.
    seq: int
    #: ``execution`` or ``job``.
    kind: str
    #: The job; "" for the execution itself.
    job: str
    status: str
    reason: str
    #: Seconds since the Unix epoch.
    at: float


class EventReader:
    """Puts events together from lines as they come."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}

    def take(self, line: str) -> Event | None:
        """The event that ends with this line, or None."""
        if line:
            name, _, value = line.partition(":")
            if name:
                self._fields[name] = value.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        return _event(fields) if "data" in fields else None


def _event(fields: dict[str, str]) -> Event:
    said: dict[str, Any] = orjson.loads(fields["data"])
    return Event(
        seq=int(fields["id"]),
        kind=fields["event"],
        job=said["job"],
        status=said["status"],
        reason=said["reason"],
        at=said["at"],
    )
