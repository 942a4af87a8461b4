"""A child's end of the pipe to its parent, and the signal that interrupts user code."""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import threading
import traceback
from collections import deque
from enum import StrEnum
from types import FrameType
from typing import Any

from morphml.engines.local.frames import Frame, FrameReader, encode
from morphml.engines.port import Order
from morphml.evaluation.orders import TrialCancelled
from morphml.ids import AttemptToken

_READ = 1 << 20
_WHERE_LIMIT = 20_000


class Phase(StrEnum):
    """What a child does; it decides what SIGTERM means."""

    #: Idle, or loading an experiment: the process ends.
    WAITING = "waiting"
    #: User code of an attempt runs: it is interrupted by ``TrialCancelled``.
    RUNNING = "running"
    #: The result is on its way: it is noted, and the process ends afterwards.
    FINISHING = "finishing"


class ParentLink:
    """Frames to and from the parent.

    Only ``next`` waits for the parent, and ``send`` where told to: what the pipe does not take at
    once is kept and goes first the next time.

    Args:
        frames: the connected socket.
    """

    def __init__(self, frames: socket.socket) -> None:
        self.phase = Phase.WAITING
        #: The stack at the moment of SIGTERM, or None when there was none.
        self.interrupted_at: str | None = None
        self._socket = frames
        self._pid = os.getpid()
        self._reader = FrameReader(limit=None, payloads=True)
        self._frames: deque[Frame] = deque()
        self._orders: dict[str, Order] = {}
        self._backlog = bytearray()
        self._busy = False
        # Frameworks report from threads of their own.
        self._lock = threading.Lock()
        signal.signal(signal.SIGTERM, self._terminate)
        # Writes the stack to stderr at once, even from C code that never lets Python's handler run.
        faulthandler.register(signal.SIGTERM, file=2, all_threads=True, chain=True)
        os.register_at_fork(after_in_child=self._abandon)

    def next(self) -> Frame | None:
        """The next frame that is no order, waiting for it; None when the parent hung up."""
        while not self._frames:
            data = self._socket.recv(_READ)
            if not data:
                return None
            self._take(data)
        return self._frames.popleft()

    def order(self, token: AttemptToken) -> Order:
        """The last known order for an attempt; looks, and does not wait."""
        if self._pid == os.getpid():
            self._look()
        return self._orders.get(token, Order.CONTINUE)

    def send(self, message: dict[str, Any], *, wait: bool = False) -> None:
        """Send a message.

        Args:
            message: what JSON can carry.
            wait: until the pipe took all of it.

        Raises:
            TrialCancelled: when SIGTERM came meanwhile.
        """
        if self._pid != os.getpid():
            return
        with self._lock:
            self._busy = True
            try:
                self._backlog += encode(message)
                self._push(wait)
            finally:
                self._busy = False
        self._raise_if_interrupted()

    def leave_if_forked(self) -> None:
        """End a process that user code forked and let return into our loop."""
        if self._pid != os.getpid():
            os._exit(0)

    def _push(self, wait: bool) -> None:
        while self._backlog:
            try:
                sent = self._socket.send(self._backlog, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                os._exit(0)  # the parent is gone
            del self._backlog[:sent]

    def _look(self) -> None:
        with self._lock:
            self._busy = True
            try:
                self._take_what_is_there()
            finally:
                self._busy = False
        self._raise_if_interrupted()

    def _take_what_is_there(self) -> None:
        while True:
            try:
                data = self._socket.recv(_READ, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not data:
                os._exit(0)  # the parent is gone
            self._take(data)

    def _take(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            if isinstance(frame, dict) and frame["do"] == "order":
                self._orders = {frame["token"]: Order(frame["order"])}
            else:
                self._frames.append(frame)

    def _terminate(self, _signal: int, frame: FrameType | None) -> None:
        if self.phase is Phase.WAITING:
            os._exit(1)
        self.interrupted_at = "".join(traceback.format_stack(frame))[-_WHERE_LIMIT:]
        if not self._busy:
            self._raise_if_interrupted()

    def _raise_if_interrupted(self) -> None:
        if self.interrupted_at is not None and self.phase is Phase.RUNNING:
            raise TrialCancelled

    def _abandon(self) -> None:
        """In a process that user code forked: the pipe is not its own, nor is the signal."""
        faulthandler.unregister(signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._socket.close()
