"""What is known of the points tried so far, in some 150 bytes each."""

from __future__ import annotations

import hashlib
from array import array
from typing import TYPE_CHECKING

from morphml.optimizers.pareto import Result
from morphml.optimizers.population import Member

if TYPE_CHECKING:
    from morphml.space import Architecture


class SeenPoints:
    """Results by decision vector; a point may be seen and have none (pending, failed, rejected)."""

    def __init__(self) -> None:
        #: Digest of the vector -> slot in the arrays, or -1 while there is no result.
        self._slots: dict[bytes, int] = {}
        self._numbers = array("q")
        self._violations = array("d")
        self._values = array("d")

    def __contains__(self, architecture: Architecture) -> bool:
        """Whether the decisions were tried before, with or without a result."""
        return _key(architecture) in self._slots

    def add(self, architecture: Architecture) -> None:
        """Remember that the decisions were tried."""
        self._slots.setdefault(_key(architecture), -1)

    def tell(self, member: Member) -> None:
        """Remember a result; every result of one search has equally many values."""
        self._slots[_key(member.architecture)] = len(self._numbers)
        self._numbers.append(-1 if member.number is None else member.number)
        self._violations.append(member.result.violation)
        self._values.extend(member.result.values)

    def member(self, architecture: Architecture) -> Member | None:
        """The decisions with their result; None when there is no result."""
        slot = self._slots.get(_key(architecture), -1)
        if slot < 0:
            return None
        width = len(self._values) // len(self._numbers)
        values = tuple(self._values[slot * width : (slot + 1) * width])
        number = self._numbers[slot]
        result = Result(self._violations[slot], values)
        return Member(None if number < 0 else number, architecture, result)


def _key(architecture: Architecture) -> bytes:
    """64 bits of the vector: small, and the same in every process, unlike ``hash``."""
    return hashlib.blake2b(repr(architecture.vector).encode(), digest_size=8).digest()
