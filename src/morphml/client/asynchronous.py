"""The client for programs on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Self

import httpx

from morphml.client.access import Access
from morphml.client.call import TRIES, Call, Document, document_of, pause_s, written
from morphml.client.events import Event, EventReader
from morphml.client.resources import Server
from morphml.client.synchronous import TIMEOUT_S, unreachable


class AsyncClient(Server[Awaitable[Document]]):
    """Asks a server; an async context manager that closes its connections.

    The same as ``Client``, with answers to be awaited.

    Args:
        url: such as ``http://localhost:3000``.
        token: the secret itself.
        token_file: a file that has it; by default that of this machine's master, where the server
            is on this machine.
        ca: PEM file of the authority of its certificate.
        timeout_s: seconds for an answer.

    Raises:
        AccessError: when the token file is not there, or has no token that a client can use.
    """

    def __init__(
        self,
        url: str = "http://localhost:3000",
        *,
        token: str | None = None,
        token_file: str | Path | None = None,
        ca: str | Path | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        access = Access.of(url, token=token, token_file=token_file, ca=ca)
        self._http = httpx.AsyncClient(
            base_url=access.url, headers=access.headers, verify=access.verify, timeout=timeout_s
        )
        super().__init__()

    async def events(self, execution: str, *, after: int = 0) -> AsyncIterator[Event]:
        """What has happened and happens in an execution, until it is over.

        A connection that breaks is made again, and goes on where it was.
        """
        tries = 0
        while True:
            try:
                async for event in self._events(execution, after):
                    after, tries = event.seq, 0
                    yield event
                return
            except httpx.TransportError as error:
                tries += 1
                if tries == TRIES:
                    raise unreachable(error, self._http.base_url) from error
            await asyncio.sleep(pause_s(tries, None))

    async def _events(self, execution: str, after: int) -> AsyncIterator[Event]:
        url = f"/api/distributed/execute/{execution}/events"
        reader = EventReader()
        async with self._http.stream("GET", url, params={"after": after}) as answer:
            if answer.status_code >= 400:
                document_of(answer.status_code, await answer.aread())
            async for line in answer.aiter_lines():
                if (event := reader.take(line)) is not None:
                    yield event

    async def wait(self, execution: str) -> Document:
        """The execution once it is over."""
        seq = 0
        while True:
            shown = await self.executions.show(execution)
            if shown["endedAt"] is not None:
                return shown
            async for event in self.events(execution, after=seq):
                seq = event.seq

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the connections."""
        await self.close()

    async def _send(self, call: Call) -> Document:
        for tries in range(1, TRIES + 1):
            last = tries == TRIES or not call.repeatable
            told = None
            try:
                status, content, told = await self._ask(call)
                if last or status not in (429, 503):
                    return document_of(status, content)
            except httpx.TransportError as error:
                if last:
                    raise unreachable(error, self._http.base_url) from error
            await asyncio.sleep(pause_s(tries, told))
        raise AssertionError("the last try returns or raises")

    async def _ask(self, call: Call) -> tuple[int, bytes, str | None]:
        """Status and body of the answer, and when to ask again; a file goes where it is to."""
        async with self._http.stream(
            call.method,
            call.url,
            params=call.parameters,
            content=_pieces(call) if isinstance(call.body, Path) else call.content,
            headers=call.headers,
        ) as answer:
            told = answer.headers.get("retry-after")
            if call.into is None or not answer.is_success:
                return answer.status_code, await answer.aread(), told
            with written(call.into) as file:
                async for piece in answer.aiter_bytes():
                    file.write(piece)
            return answer.status_code, b"", told


async def _pieces(call: Call) -> AsyncIterator[bytes]:
    for piece in call.pieces():
        yield piece
