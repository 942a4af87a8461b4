"""What is known of the points tried so far, in some 150 bytes each."""

from __future__ import annotations

import marshal
from array import array
from hashlib import blake2b

from morphml.optimizers.pareto import Result
from morphml.optimizers.population import Member
from morphml.space import Architecture


class SeenPoints:
    """Results by key; a point may be seen and have none (pending, failed, rejected)."""

    def __init__(self) -> None:
        #: Key -> slot in the arrays, or -1 while there is no result.
        self._slots: dict[bytes, int] = {}
        self._numbers = array("q")
        self._violations = array("d")
        self._values = array("d")

    def __contains__(self, key: bytes) -> bool:
        """Whether the point was tried before, with or without a result."""
        return key in self._slots

    def add(self, key: bytes) -> None:
        """Remember that the point was tried."""
        self._slots.setdefault(key, -1)

    def tell(self, key: bytes, member: Member) -> None:
        """Remember a result; every result of one search has equally many values."""
        self._slots[key] = len(self._numbers)
        self._numbers.append(-1 if member.number is None else member.number)
        self._violations.append(member.result.violation)
        self._values.extend(member.result.values)

    def member(self, key: bytes, architecture: Architecture) -> Member | None:
        """The point, whose key is given, with its result; None when there is none."""
        slot = self._slots.get(key, -1)
        if slot < 0:
            return None
        width = len(self._values) // len(self._numbers)
        values = tuple(self._values[slot * width : (slot + 1) * width])
        number = self._numbers[slot]
        result = Result(self._violations[slot], values)
        return Member(None if number < 0 else number, architecture, result)


def point_key(architecture: Architecture) -> bytes:
    """64 bits of the decision vector: small, and the same in every process, unlike ``hash``."""
    # Format 2 has no back references, so equal vectors give equal bytes; `repr` is far slower.
    return blake2b(marshal.dumps(architecture.vector, 2), digest_size=8).digest()
