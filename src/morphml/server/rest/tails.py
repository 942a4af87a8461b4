"""News of executions for those who listen: read once, however many they are."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeAlias

from fastapi.concurrency import run_in_threadpool

from morphml.errors import MorphError
from morphml.master.workflows import ExecutionEvent

#: Seconds between two looks for news of an execution that somebody listens to.
LOOK_EVERY_S = 0.5
#: Seconds of silence after which a listener is woken all the same.
KEEP_ALIVE_S = 15.0
#: Events of one execution that are remembered for those who listen.
REMEMBERED = 2_000
#: Events of one look at most.
PAGE = 1_000

Read: TypeAlias = Callable[[str, int, int], Sequence[ExecutionEvent]]


class Tail:
    """News of one execution: read once, however many listen. Lives on one event loop.

    A listener that is too slow for what is remembered reads the rest from the store: nothing is
    dropped, and nothing grows.

    Args:
        execution: its id.
        read: events of an execution after a sequence number, with a limit; may wait.
        after: sequence number of the newest event that is known.
    """

    def __init__(self, execution: str, read: Read, after: int) -> None:
        self._execution = execution
        self._read = read
        self._newest = after
        self._known: deque[ExecutionEvent] = deque(maxlen=REMEMBERED)
        self._news = asyncio.Condition()
        self.listeners = 0

    async def follow(self) -> None:
        """Look for news until nobody listens."""
        while self.listeners:
            with contextlib.suppress(MorphError):  # the store is away: the next look tells
                found = await run_in_threadpool(self._read, self._execution, self._newest, PAGE)
                if found:
                    async with self._news:
                        self._known.extend(found)
                        self._newest = found[-1].seq
                        self._news.notify_all()
            await asyncio.sleep(LOOK_EVERY_S)

    async def after(self, seq: int) -> Sequence[ExecutionEvent]:
        """What follows ``seq``; waits for it, and returns nothing after `KEEP_ALIVE_S`."""
        async with self._news:
            if self._newest <= seq:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), KEEP_ALIVE_S)
            if self._newest <= seq:
                return ()
            if self._known and self._known[0].seq <= seq + 1:
                return [event for event in self._known if event.seq > seq]
        return await run_in_threadpool(self._read, self._execution, seq, PAGE)


class Tails:
    """One tail for each execution that somebody listens to. Lives on one event loop.

    Args:
        read: as that of a tail.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._tails: dict[str, tuple[Tail, asyncio.Task[None]]] = {}

    @contextlib.asynccontextmanager
    async def listening(self, execution: str, newest: int) -> AsyncIterator[Tail]:
        """The tail of an execution whose newest event is known."""
        if execution not in self._tails:
            tail = Tail(execution, self._read, newest)
            tail.listeners = 1
            self._tails[execution] = tail, asyncio.create_task(tail.follow())
        else:
            tail = self._tails[execution][0]
            tail.listeners += 1
        try:
            yield tail
        finally:
            tail.listeners -= 1
            if not tail.listeners:
                self._tails.pop(execution)[1].cancel()
