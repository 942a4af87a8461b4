"""Ends a wait for descriptors from another thread or a signal handler, at once."""

from __future__ import annotations

import contextlib
import os


class Waker:
    """A pipe to itself."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._closed = False

    def fileno(self) -> int:
        """The descriptor that becomes readable."""
        return self._read

    def wake(self) -> None:
        """Make it readable. Thread-safe; nothing after ``close``."""
        # A full pipe has woken already; a closed one has nobody to wake.
        with contextlib.suppress(OSError):
            if not self._closed:
                os.write(self._write, b"\0")

    def drain(self) -> None:
        """Make it unreadable again."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 4096):
                pass

    def close(self) -> None:
        """Close both ends."""
        if not self._closed:
            self._closed = True
            os.close(self._read)
            os.close(self._write)
