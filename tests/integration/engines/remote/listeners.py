"""Servers of bare connections on loopback ports, of which nothing stays open."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

#: Told of every connection; may leave it open, and is cancelled when the server ends.
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def silent() -> Iterator[int]:
    """The port of a server that lets everybody connect and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@asynccontextmanager
async def listening(handle: Handler) -> AsyncIterator[int]:
    """The port of a server that hands connections to ``handle``, and ends them all at the end.

    ``asyncio.start_server`` leaves open what it accepted just before its end: it forgets the
    socket, or its loop cancels the handler before its first step, whose ``finally`` then never
    runs, and that garbage is held against the next test. So sockets are noted here the moment they
    are accepted; a handler has to close only what it opens itself.

    Raises:
        ExceptionGroup: Handlers failed by other things than their connections.
    """
    loop = asyncio.get_running_loop()
    sockets: list[socket.socket] = []
    writers: list[asyncio.StreamWriter] = []
    tasks: list[asyncio.Task[None]] = []

    async def serve(accepted: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=accepted)
        writers.append(writer)
        await handle(reader, writer)

    def accept() -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):  # it has gone again
            sockets.append(server.accept()[0])
            sockets[-1].setblocking(False)
            tasks.append(loop.create_task(serve(sockets[-1])))

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        loop.add_reader(server, accept)
        try:
            yield int(server.getsockname()[1])
        finally:
            loop.remove_reader(server)
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            for writer in writers:
                writer.transport.abort()
            await asyncio.sleep(0)  # transports let go of their sockets a turn later
            for each in sockets:
                each.close()
    failed = [end for end in ends if isinstance(end, Exception) and not isinstance(end, OSError)]
    if failed:
        raise ExceptionGroup("handlers failed", failed)
