"""The log of an experiment: one total order of everything an optimizer may know.

A restart folds the log and never asks again. Bodies are JSON; nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import orjson


class EntryKind(StrEnum):
    """What an entry records."""

    #: A proposal took a number: ``vector, point, parents, note, origin, seen, computed``, and
    #: ``bracket`` where a rule of fidelity looks after the trial.
    ASKED = "asked"
    #: A proposal was a duplicate: ``vector, source, origin``; the number is the one asked for.
    #: With source None its result came from another experiment and has the place ``reused`` (-1,
    #: -2, ...); when it came: ``point, computed, metrics, violation, from`` too.
    ANSWERED = "answered"
    #: A proposal broke a cheap constraint: ``vector, constraint, origin``.
    REJECTED = "rejected"
    #: A trial reported: ``step, metrics``, and ``order`` "stop" where it is to end for it.
    REPORTED = "reported"
    #: A trial ended: ``state, metrics, violation, duration, epochs, failure``, and ``spent`` where
    #: earlier segments have counted some of its epochs.
    TOLD = "told"
    #: A segment ended, and the trial waits: ``step, metrics, duration, spent, saved``.
    PAUSED = "paused"
    #: A trial that waited goes on: ``segment, from, to``.
    PROMOTED = "promoted"
    CANCELLED = "cancelled"
    #: Another optimizer goes on: ``name, version, settings``.
    SWITCHED = "switched"


class Origin(StrEnum):
    """Who made a proposal."""

    START = "start"
    OPTIMIZER = "optimizer"
    #: The search itself, after too many duplicates in a row.
    DRAW = "draw"


class LogEntry(NamedTuple):
    """One entry; ``seq`` rises by one without gaps."""

    seq: int
    kind: EntryKind
    #: The trial it is about; for ``answered`` and ``rejected`` the number that was being asked for.
    number: int
    #: JSON object.
    body: bytes


def encode_body(body: Mapping[str, object]) -> bytes:
    """The body as compact JSON; equal bodies give equal bytes."""
    return orjson.dumps(body)


def decode_body(entry: LogEntry) -> dict[str, Any]:
    """The body of an entry as a dictionary."""
    decoded: dict[str, Any] = orjson.loads(entry.body)
    return decoded


def reused_bodies(entries: Iterable[LogEntry]) -> Iterator[dict[str, Any]]:
    """The bodies of those entries that brought a result of another experiment."""
    for entry in entries:
        if entry.kind is EntryKind.ANSWERED:
            body = decode_body(entry)
            if "metrics" in body:
                yield body
