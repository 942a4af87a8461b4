"""A TCP proxy between a worker and a master that loses what it is told to lose."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import Self

from tests.integration.engines.remote.listeners import listening


class Line(Enum):
    """What goes through."""

    WHOLE = "whole"
    #: Connections stay, and are accepted; nothing comes through in either direction.
    SILENT = "silent"
    #: What the worker says is lost.
    DEAF = "deaf"
    #: What the master says is lost.
    MUTE = "mute"
    #: Connections are reset, and new ones too.
    CUT = "cut"


class Proxy:
    """Listens on a port of its own, on a thread of its own; a context manager.

    Args:
        target: ``host:port`` of the master.
    """

    _loop: asyncio.AbstractEventLoop

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.rpartition(":")
        self._line = Line.WHOLE
        self._ready = threading.Event()
        self._over = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.address = ""

    def become(self, line: Line) -> None:
        """Change what goes through, for connections that are there too."""
        self._line = line
        if line is Line.CUT:
            self._loop.call_soon_threadsafe(self._reset)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    # --- on the loop -----------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with listening(self._serve) as port:
            self.address = f"127.0.0.1:{port}"
            self._ready.set()
            await self._over.wait()

    def _reset(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self._line is Line.CUT:
                return
            there, to_there = await asyncio.open_connection(self._host, int(self._port))
            self._open.add(to_there)
            try:
                lost_up, lost_down = (Line.SILENT, Line.DEAF), (Line.SILENT, Line.MUTE)
                up = asyncio.create_task(self._pass_on(reader, to_there, lost_up))
                down = asyncio.create_task(self._pass_on(there, writer, lost_down))
                await asyncio.wait((up, down))
            finally:
                self._open.discard(to_there)
                to_there.transport.abort()
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: tuple[Line, ...]
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if self._line in lost:
                    # A stream with a hole is no stream: this connection is lost for good.
                    while await reader.read(1 << 16):
                        pass
                    await asyncio.sleep(3600)
                writer.write(data)
                await writer.drain()
        if writer.can_write_eof():
            with suppress(OSError):
                writer.write_eof()
