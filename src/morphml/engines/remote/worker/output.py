"""What attempts print, gathered into few messages, and dropped first when it is too much.

No connection or clock in here; times are handed in (seconds of a monotonic clock).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from morphml.ids import AttemptToken

#: Characters of one attempt that wait to be sent; more is dropped.
_MOST = 64 << 10

#: Stream and text.
Piece = tuple[str, str]


@dataclass(slots=True)
class _Waiting:
    """Output of one attempt."""

    due: float = 0.0
    pieces: list[Piece] = field(default_factory=list)
    size: int = 0
    dropped: int = 0


class Output:
    """The output of all attempts.

    Args:
        every_s: least seconds between two messages of one attempt.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._waiting: dict[AttemptToken, _Waiting] = {}
        #: Characters dropped so far.
        self.dropped = 0

    def write(self, token: AttemptToken, stream: str, text: str) -> None:
        """Take what an attempt wrote."""
        mine = self._waiting.setdefault(token, _Waiting())
        room = max(0, _MOST - mine.size)
        self._drop(mine, len(text) - room)
        if kept := text[:room]:
            mine.size += len(kept)
            if mine.pieces and mine.pieces[-1][0] == stream:
                kept = mine.pieces.pop()[1] + kept
            mine.pieces.append((stream, kept))

    @property
    def due(self) -> float:
        """When ``take`` has something next; infinity for never."""
        return min((each.due for each in self._waiting.values() if each.pieces), default=math.inf)

    def take(self, now: float) -> list[tuple[AttemptToken, Piece]]:
        """What is to be sent now."""
        found: list[tuple[AttemptToken, Piece]] = []
        for token, mine in self._waiting.items():
            if mine.pieces and mine.due <= now:
                pieces = _pieces(mine)
                mine.due = now + self._every_s * len(pieces)
                found += [(token, piece) for piece in pieces]
        return found

    def finish(self, token: AttemptToken) -> list[Piece]:
        """What is left of an attempt, which ends."""
        mine = self._waiting.pop(token, None)
        return [] if mine is None else _pieces(mine)

    def discard(self) -> None:
        """Nobody listens: drop what waits, and count it."""
        for mine in self._waiting.values():
            self._drop(mine, mine.size)
            mine.pieces, mine.size = [], 0

    def _drop(self, mine: _Waiting, count: int) -> None:
        if count > 0:
            mine.dropped += count
            self.dropped += count


def _pieces(mine: _Waiting) -> list[Piece]:
    pieces = mine.pieces
    if mine.dropped:
        note = ("stderr", f"[{mine.dropped:,} characters of output were dropped here]\n")
        # What is dropped for want of room comes after what was kept, else before.
        pieces = [*pieces, note] if mine.size >= _MOST else [note, *pieces]
    mine.pieces, mine.size, mine.dropped = [], 0, 0
    return pieces
