"""What is written down while a run goes on; the statistics are made of it afterwards."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field


@dataclass(slots=True)
class Records:
    """Facts of one run; lists by task where they say so."""

    #: By task: when it became ready, when it first began to run, when its result was stored;
    #: below 0 before.
    ready_at: list[float]
    began_at: list[float]
    stored_at: list[float]
    #: By task: how often a result of it was stored.
    stored: list[int]
    #: Tasks that ended with a result, and without one.
    succeeded: int = 0
    given_up: int = 0
    #: Attempts that were placed, that were lost with a worker, that were taken back by it.
    placed: int = 0
    lost: int = 0
    adopted: int = 0
    #: When for the first time nothing waited and nothing more was to come; below 0 before.
    dry_at: float = -1.0
    _digest: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    @classmethod
    def of(cls, tasks: int) -> Records:
        """Empty records of so many tasks."""
        return cls(
            ready_at=[-1.0] * tasks,
            began_at=[-1.0] * tasks,
            stored_at=[-1.0] * tasks,
            stored=[0] * tasks,
        )

    @property
    def ended(self) -> int:
        """Tasks that are over."""
        return self.succeeded + self.given_up

    def store(self, task: int, at: float) -> None:
        """A result of the task was stored."""
        self.stored[task] += 1
        self.stored_at[task] = at
        self.succeeded += 1

    def log(self, code: int, at: float, task: int, node: int) -> None:
        """One entry of the event log; only its digest is kept."""
        self._digest.update(struct.pack("<bdqq", code, at, task, node))

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that two equal courses share."""
        return self._digest.hexdigest()
