"""A connection that is half open: nothing passes any more, and nobody says so."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
import pytest
from tests.integration.engines.remote.access_servers import (
    PATIENCE_S,
    calling,
    certificates,
    refused,
    serving,
)
from tests.integration.engines.remote.listeners import listening, silent

from morphml.engines.remote.access import ClientAccess, ServerAccess, problems
from morphml.engines.remote.proto import worker_pb2, worker_pb2_grpc


class Wire:
    """A proxy whose wire can be cut without a word to either end."""

    def __init__(self) -> None:
        self.port = 0
        self._cut = asyncio.Event()

    def cut(self) -> None:
        self._cut.set()

    @asynccontextmanager
    async def to(self, port: int) -> AsyncIterator[str]:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inner, out = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.gather(self._pump(reader, out), self._pump(inner, writer))
            finally:
                for end in (writer, out):
                    end.transport.abort()

        async with listening(accept) as own:
            yield f"127.0.0.1:{own}"

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            if self._cut.is_set():
                continue
            target.write(data)
            await target.drain()


@pytest.mark.parametrize("beating", [False, True])
def test_a_half_open_connection_is_noticed_in_seconds(beating: bool) -> None:
    async def run() -> float:
        wire = Wire()
        async with (
            serving(ServerAccess()) as server,
            wire.to(server.port) as target,
            calling(ClientAccess(), target) as channel,
        ):
            stream = worker_pb2_grpc.MasterServiceStub(channel).Work(timeout=120)
            event = worker_pb2.WorkerEvent(beat=worker_pb2.Beat(index=1))
            message = worker_pb2.WorkRequest(events=[event])

            async def beat() -> None:
                while beating:
                    await asyncio.sleep(1)
                    await stream.write(message)

            await stream.write(message)
            await stream.read()
            wire.cut()
            began = time.monotonic()
            beats = asyncio.create_task(beat())
            with pytest.raises(grpc.aio.AioRpcError):
                await stream.read()
            noticed = time.monotonic() - began
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)
            return noticed

    assert asyncio.run(run()) < 30


def test_a_server_that_answers_nothing_is_given_up_in_time() -> None:
    """A listener that takes connections and is silent, such as a stopped process."""

    async def run() -> float:
        with silent() as port:
            target = f"127.0.0.1:{port}"
            access = ClientAccess()
            async with calling(access, target) as channel:
                began = time.monotonic()
                stub = worker_pb2_grpc.MasterServiceStub(channel)
                error = await refused(
                    stub.Heartbeat(worker_pb2.HeartbeatRequest(), timeout=PATIENCE_S)
                )
                took = time.monotonic() - began
                assert error.code() is grpc.StatusCode.UNAVAILABLE
                problem = await access.problem(error, target)
                assert "is not reached" in problem.message
            return took

    assert asyncio.run(run()) < PATIENCE_S


def test_a_look_at_a_server_that_says_nothing_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not even say goodbye, for which TLS would wait half a minute."""
    monkeypatch.setattr(problems, "PROBE_S", 1.0)
    files = certificates(tmp_path / "certs")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / "server.pem", files / "server.key")
    held: list[ssl.SSLSocket] = []
    details = "failed to connect to all addresses; last error: UNKNOWN: Socket closed"
    nothing = grpc.aio.Metadata()
    error = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, details=details)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        warnings.catch_warnings(record=True) as w,
    ):
        warnings.simplefilter("always", ResourceWarning)

        def accept() -> None:
            with suppress(OSError):  # on a very busy machine it is left before they have agreed
                held.append(context.wrap_socket(server.accept()[0], server_side=True))

        accepting = threading.Thread(target=accept)
        accepting.start()
        target = f"127.0.0.1:{server.getsockname()[1]}"
        asyncio.run(ClientAccess().problem(error, target))
        gc.collect()
        accepting.join()
    for each in held:
        each.close()
    assert [str(each.message) for each in w] == []


@pytest.mark.parametrize(
    ("details", "words", "looks"),
    [
        ("Socket closed", "the connection ended (Socket closed)", 0),
        ("this master stops", "the connection ended (this master stops)", 0),
        ("failed to connect to all addresses; last error: UNKNOWN: Socket closed", "is not", 1),
    ],
)
def test_only_a_server_that_never_let_us_in_is_looked_at(
    details: str, words: str, looks: int
) -> None:
    """Whoever lost a connection wants to dial another master, not to wait for the old one."""
    error = grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), details=details
    )

    async def run() -> tuple[str, int]:
        seen = 0

        async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal seen
            seen += 1
            writer.close()
            await writer.wait_closed()

        async with listening(count) as port:
            return (await ClientAccess().problem(error, f"127.0.0.1:{port}")).message, seen

    message, seen = asyncio.run(run())
    assert words in message
    assert seen == looks
