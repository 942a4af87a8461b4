"""The log of an experiment: one total order of everything an optimizer may know.

A restart folds the log and never asks again. Bodies are JSON; nothing is pickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntryKind(StrEnum):
    """What an entry records."""

    ASKED = "asked"
    ANSWERED = "answered"
    REJECTED = "rejected"
    REPORTED = "reported"
    TOLD = "told"
    PAUSED = "paused"
    PROMOTED = "promoted"
    CANCELLED = "cancelled"
    SWITCHED = "switched"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry; ``seq`` rises by one without gaps."""

    seq: int
    kind: EntryKind
    #: The trial it is about; for ``answered`` and ``rejected`` the number that was being asked for.
    number: int
    #: JSON object.
    body: bytes
