"""One worker's stream on the event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Protocol

import grpc

from morphml.engines.remote.hub.outbox import Outbox
from morphml.engines.remote.proto import worker_pb2 as pb


class Writer(Protocol):
    """The sending half of a stream."""

    async def write(self, message: pb.WorkResponse, /) -> None:
        """Send one message; waits while the other side does not read."""
        ...


class Connection:
    """A worker's stream, from its registration to its end.

    Args:
        worker: the worker's id.
        writer: takes messages.
        lock: guards the outbox.
    """

    def __init__(self, worker: str, writer: Writer, lock: threading.RLock) -> None:
        self.worker = worker
        self.outbox = Outbox()
        #: Index of the last beat that was read.
        self.beat = 0
        #: Why it is to end, once that is so.
        self.closing: tuple[grpc.StatusCode, str] | None = None
        self._writer = writer
        self._lock = lock
        self._task = asyncio.current_task()
        self._writing = False

    async def flush(self) -> None:
        """Send all that is queued; returns at once where that is being done already."""
        if self._writing:
            return
        self._writing = True
        try:
            while True:
                with self._lock:
                    message = self.outbox.take()
                if message is None:
                    return
                await self._writer.write(message)
        finally:
            self._writing = False

    def close(self, code: grpc.StatusCode, reason: str) -> None:
        """End the stream; called on the event loop."""
        if self.closing is None and self._task is not None:
            self.closing = (code, reason)
            self._task.cancel()
