"""Servers of bare connections end whole, whatever they were doing."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

import pytest
from tests.integration.engines.remote.listeners import listening, silent


@pytest.mark.parametrize("kind", ["that waits", "that connects on"])
def test_a_server_ended_at_any_step_leaves_nothing_open(kind: str) -> None:
    """A connection waits in its queue, and it ends after so many turns of the loop."""
    begun: list[int] = []

    async def run(turns: int, onward: int) -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            begun.append(turns)
            if kind == "that waits":
                await reader.read()
                return
            inner, out = await asyncio.open_connection("127.0.0.1", onward)
            try:
                await inner.read()
            finally:
                out.transport.abort()

        async with listening(handle) as port:
            with socket.create_connection(("127.0.0.1", port)):
                for _ in range(turns):
                    await asyncio.sleep(0)

    with silent() as onward, warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", ResourceWarning)
        for turns in range(12):
            asyncio.run(run(turns, onward))
        gc.collect()
    assert [str(each.message) for each in seen] == []
    assert begun[0] > 0, "it always ended before anybody was handled"
    assert begun[-1] == 11


def test_a_handler_that_fails_is_told_of() -> None:
    async def run() -> None:
        told = asyncio.Event()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            told.set()
            raise ValueError("no such word")

        async with listening(handle) as port:
            with socket.create_connection(("127.0.0.1", port)):
                await told.wait()

    with pytest.raises(ExceptionGroup, match="handlers failed"):
        asyncio.run(run())
