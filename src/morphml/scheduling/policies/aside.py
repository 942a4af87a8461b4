"""Tasks that wait for a worker that they need not avoid, and let others go first."""

from __future__ import annotations

import math
from typing import Generic, TypeVar

from morphml.scheduling.placing import Placing
from morphml.scheduling.waiting import WaitingTask

Entry = TypeVar("Entry")


class Aside(Generic[Entry]):
    """Where a queue puts such tasks until it is worth trying them again.

    Args:
        placing: knows for how long each waits, and whether a worker got room meanwhile.
    """

    __slots__ = ("_entries", "_gains", "_placing", "until")

    def __init__(self, placing: Placing) -> None:
        self._placing = placing
        self._entries: list[Entry] = []
        #: What the fleet's count of gains was when the last one came.
        self._gains = 0
        #: When the first of them waits no more; infinity while there is none.
        self.until = math.inf

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._entries)

    def put(self, entry: Entry, task: WaitingTask) -> None:
        """It was tried just now, and only workers that it should avoid have room."""
        self._entries.append(entry)
        self._gains = self._placing.fleet.gains
        self.until = min(self.until, self._placing.until(task.token))

    def remove(self, entry: Entry) -> bool:
        """Take one out; whether it was here."""
        if entry not in self._entries:
            return False
        self._entries.remove(entry)
        if not self._entries:
            self.until = math.inf
        return True

    def call_back(self, now: float) -> list[Entry]:
        """All, when a worker has got room since, or the time of one has come; else none."""
        if not self._entries or (self._gains == self._placing.fleet.gains and now < self.until):
            return []
        entries, self._entries, self.until = self._entries, [], math.inf
        return entries
