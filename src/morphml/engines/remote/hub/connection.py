"""One worker's stream on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Protocol

import grpc

from morphml.engines.remote.hub.outbox import Outbox
from morphml.engines.remote.proto import worker_pb2 as pb

#: What a write raises when the stream has ended meanwhile; whoever reads it notices that too.
STREAM_ENDED = (
    grpc.RpcError,
    grpc.aio.UsageError,
    grpc.aio.InternalError,
    asyncio.InvalidStateError,
)


class Writer(Protocol):
    """The sending half of a stream."""

    async def write(self, message: pb.WorkResponse, /) -> None:
        """Send one message; waits while the other side does not read."""
        ...


class Connection:
    """A worker's stream, from its registration to its end.

    Args:
        worker: the worker's id.
        writer: takes messages; None for a worker that comes to fetch them.
        lock: guards the outbox.
    """

    def __init__(self, worker: str, writer: Writer | None, lock: threading.RLock) -> None:
        self.worker = worker
        self.outbox = Outbox()
        #: Index of the last beat that was read.
        self.beat = 0
        #: Why it is to end, once that is so.
        self.closing: tuple[grpc.StatusCode, str] | None = None
        self._writer = writer
        self._lock = lock
        self._task = None if writer is None else asyncio.current_task()
        #: Wakes a call that waits for something to be queued.
        self._queued = asyncio.Event() if writer is None else None
        self._writing = False

    async def flush(self) -> None:
        """Send all that is queued; returns at once where that is being done already."""
        if self._queued is not None:
            self._queued.set()
        if self._writer is None or self._writing:
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

    @property
    def polled(self) -> bool:
        """Whether its worker fetches what is queued by calls of its own."""
        return self._writer is None

    async def wait(self, until: Callable[[], bool], within_s: float) -> None:
        """Wait for something to be queued, as far as that happens in time."""
        assert self._queued is not None, "only who fetches waits"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not until():
                    self._queued.clear()
                    await self._queued.wait()

    def close(self, code: grpc.StatusCode, reason: str) -> None:
        """End the stream; called on the event loop."""
        if self.closing is None and self._task is not None:
            self.closing = (code, reason)
            self._task.cancel()
