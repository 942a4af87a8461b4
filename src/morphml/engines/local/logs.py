"""Captured output of one attempt: text as it comes, bounded, whatever bytes were written."""

from __future__ import annotations

import codecs
from collections import deque

#: Bytes of one stream of one attempt that are passed on as they come.
HEAD_BYTES = 192 << 10
#: Bytes that are kept besides, the newest ones, and passed on when the attempt ends.
TAIL_BYTES = 64 << 10


class LogStream:
    """One stream (stdout or stderr) of one attempt."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._room = HEAD_BYTES
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._dropped = 0

    def feed(self, data: bytes) -> str:
        """The text to pass on now; the rest is kept for ``finish`` or counted as dropped."""
        now, later = data[: self._room], data[self._room :]
        self._room -= len(now)
        if later:
            self._keep(later)
        return self._decoder.decode(now)

    def finish(self) -> str:
        """What is still to be passed on, with a line that says how much was left out."""
        text = self._decoder.decode(b"", final=True)
        if self._dropped:
            text += f"\n[{self._dropped:,} bytes left out here]\n"
        return text + b"".join(self._tail).decode("utf-8", "replace")

    def _keep(self, data: bytes) -> None:
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail_size > TAIL_BYTES:
            excess = self._tail_size - TAIL_BYTES
            oldest = self._tail.popleft()
            if len(oldest) > excess:
                self._tail.appendleft(oldest[excess:])
            cut = min(excess, len(oldest))
            self._tail_size -= cut
            self._dropped += cut
