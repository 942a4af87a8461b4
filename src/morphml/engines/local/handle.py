"""The parent's handle of one child process: a socket of frames, two pipes, a process id."""

from __future__ import annotations

import os
import signal
import socket
from collections import deque
from collections.abc import Iterator

from morphml.engines.local import kernel
from morphml.engines.local.attempt import Attempt
from morphml.engines.local.binding import Sight
from morphml.engines.local.code import Code
from morphml.engines.local.frames import Frame, FrameReader
from morphml.ids import ExperimentId

STREAMS = ("stdout", "stderr")

_READ = 1 << 18
#: Reads of one pipe in a row; a process that never stops printing must not hold up the others.
_READS = 64
#: Bytes per stream that are kept of what a child writes while it has no attempt (its ``setup``).
_EARLY_BYTES = 64 << 10


class ChildHandle:
    """One child, from the request to fork it until it is gone.

    Args:
        slot: the slot it fills.
        request: number of the request to fork.
        code: what it may import.
        sight: what it sees of the machine's devices.
    """

    def __init__(self, slot: int, request: int, code: Code, sight: Sight) -> None:
        self.slot = slot
        self.request = request
        self.code = code
        self.sight = sight
        self.pid: int | None = None
        #: It said that it is there.
        self.ready = False
        #: Experiments that it was sent.
        self.known: set[ExperimentId] = set()
        #: Those that it has not loaded yet, in order, and when they were sent.
        self.loading: dict[ExperimentId, float] = {}
        self.attempt: Attempt | None = None
        #: Why the engine is ending it, or "".
        self.condemned = ""
        self.early: dict[str, bytearray] = {name: bytearray() for name in STREAMS}
        self.socket, self._theirs = socket.socketpair()
        self.socket.setblocking(False)
        self.pipes: dict[str, int] = {}
        self._passed = [self._theirs.fileno()]
        for name in STREAMS:
            ours, theirs = os.pipe()
            os.set_blocking(ours, False)
            self.pipes[name] = ours
            self._passed.append(theirs)
        self._reader = FrameReader()
        self._outgoing: deque[memoryview] = deque()

    @property
    def passed(self) -> list[int]:
        """The descriptors for the child, in the order that it expects."""
        return self._passed

    def close_passed(self) -> None:
        """Close our copies of the child's descriptors, once it has its own."""
        self._theirs.close()
        for fd in self._passed[1:]:
            os.close(fd)
        self._passed = []

    @property
    def backlog(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._outgoing)

    def send(self, *parts: bytes) -> None:
        """Send bytes in order, now as far as the socket takes them, the rest by ``flush``."""
        self._outgoing.extend(memoryview(part) for part in parts)
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the socket takes it."""
        while self._outgoing:
            part = self._outgoing[0]
            try:
                sent = self.socket.send(part)
            except BlockingIOError:
                return
            except OSError:
                self._outgoing.clear()  # it is gone; the fork server will say so
                return
            if sent == len(part):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = part[sent:]

    def receive(self) -> Iterator[Frame]:
        """Frames that arrived. Does not wait.

        Raises:
            EOFError: when the child closed its end.
            ProtocolError: when it sent something that is no frame.
        """
        while True:
            try:
                data = self.socket.recv(_READ)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                raise EOFError
            yield from self._reader.feed(data)
            if len(data) < _READ:
                return

    def read(self, stream: str) -> bytes | None:
        """What the child wrote to a stream; b"" when nothing is there, None at its end."""
        pipe = self.pipes.get(stream)
        if pipe is None:
            return None  # its end was seen, and the pipe closed, before
        parts: list[bytes] = []
        for _ in range(_READS):
            try:
                data = os.read(pipe, _READ)
            except BlockingIOError:
                break
            if not data:
                return b"".join(parts) or None
            parts.append(data)
        return b"".join(parts)

    def keep_early(self, stream: str, data: bytes) -> None:
        """Keep what was written without an attempt for the next one; the newest bytes."""
        kept = self.early[stream]
        kept += data
        del kept[:-_EARLY_BYTES]

    def kill(self, sig: signal.Signals) -> None:
        """Signal the child; SIGKILL goes to all of its group."""
        if self.pid is None:
            return
        if sig is signal.SIGKILL:
            kernel.kill_group(self.pid, sig)
        else:
            kernel.kill_one(self.pid, sig)

    def close(self) -> None:
        """Close all descriptors."""
        self.socket.close()
        if self._passed:
            self.close_passed()
        for fd in self.pipes.values():
            os.close(fd)
        self.pipes = {}
