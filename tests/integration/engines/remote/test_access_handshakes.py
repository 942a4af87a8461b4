"""What a server logs of those who do not get through TLS: each host once, and nobody else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.integration.engines.remote.access_servers import (
    PATIENCE_S,
    Running,
    bearing,
    beat,
    calling,
    certificates,
    guarded,
    lines_of,
    pair,
    refused,
    serving,
)
from tests.integration.engines.remote.listeners import listening

from morphml.clock import SystemClock
from morphml.engines.remote.access import ClientAccess, ClientTls, ServerAccess, ServerTls
from morphml.engines.remote.access.handshakes import FIRST_CALL_S, Handshakes, parse_peer, peers_of
from morphml.engines.remote.proto import worker_pb2, worker_pb2_grpc

#: Seconds between two looks of a server.
LOOKS_EVERY_S = 0.1


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("ours") / "certs")


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("others") / "certs")


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def of(authority: Path, client: Path | None = None) -> ClientTls:
    return ClientTls(
        ca=authority / "ca.pem", pair=None if client is None else pair(client, "client")
    )


def with_handshakes(access: ServerAccess) -> Handshakes:
    assert access.handshakes is not None
    return access.handshakes


async def connected(port: int, count: int) -> None:
    """Wait until so many are connected to a port of this process."""
    async with asyncio.timeout(PATIENCE_S):
        while len(peers_of(port)) != count:
            await asyncio.sleep(LOOKS_EVERY_S / 10)


async def visited(server: ServerAccess, visit: Callable[[Running], Awaitable[None]]) -> None:
    """Serve until a visit is over and everybody who was seen has had time for a call."""
    handshakes = with_handshakes(server)

    async def look() -> None:
        while True:
            handshakes.look()
            await asyncio.sleep(LOOKS_EVERY_S)

    async with serving(server) as running:
        looking = asyncio.create_task(look())
        await visit(running)
        await connected(running.port, 0)
        await asyncio.sleep(FIRST_CALL_S + 5 * LOOKS_EVERY_S)
        looking.cancel()


def logged(
    caplog: pytest.LogCaptureFixture,
    server: ServerAccess,
    visit: Callable[[Running], Awaitable[None]],
) -> list[str]:
    with caplog.at_level(logging.DEBUG, "morphml"):
        asyncio.run(visited(server, visit))
    return lines_of(caplog)


def test_who_does_not_get_through_is_logged_once_and_others_never(
    ours: Path, others: Path, tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Plaintext, an unknown authority, no certificate and one of a stranger, from two addresses."""
    server = guarded(tokens, ServerTls(pair=pair(ours, "server"), client_ca=ours / "ca.pem"))
    strangers = [
        ClientAccess(),
        bearing(tokens, of(others, ours)),
        bearing(tokens, of(ours)),
        bearing(tokens, of(ours, others)),
    ]

    async def visit(running: Running) -> None:
        for access in strangers:
            for _ in range(2):
                async with calling(access, running.target) as channel:
                    error = await refused(beat(channel))
                    assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert dict(running.calls) == {}

    lines = logged(caplog, server, visit)
    (line,) = [line for line in lines if "TLS" in line]
    assert line.startswith("127.0.0.1 connected and did not get through TLS")
    assert "not logged again" in line


@pytest.mark.parametrize("kind", ["plaintext", "authority", "no certificate", "certificate"])
def test_each_way_to_fail_is_logged(
    kind: str, ours: Path, others: Path, tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = guarded(tokens, ServerTls(pair=pair(ours, "server"), client_ca=ours / "ca.pem"))
    access = {
        "plaintext": ClientAccess(),
        "authority": bearing(tokens, of(others, ours)),
        "no certificate": bearing(tokens, of(ours)),
        "certificate": bearing(tokens, of(ours, others)),
    }[kind]

    async def visit(running: Running) -> None:
        async with calling(access, running.target) as channel:
            await refused(beat(channel))

    lines = logged(caplog, server, visit)
    assert [line for line in lines if "did not get through TLS" in line]


def test_calls_of_every_kind_and_refused_ones_are_no_failed_handshakes(
    ours: Path, tokens: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each on a connection of its own that is gone at once."""
    server = guarded(tokens, ServerTls(pair=pair(ours, "server")))
    good = bearing(tokens, of(ours))
    wrong = bearing(None, of(ours))

    async def work(channel: grpc.aio.Channel) -> None:
        stub = worker_pb2_grpc.MasterServiceStub(channel)
        stream = stub.Work(timeout=PATIENCE_S)
        event = worker_pb2.WorkerEvent(beat=worker_pb2.Beat(index=7))
        await stream.write(worker_pb2.WorkRequest(events=[event]))
        answer = await stream.read()
        assert answer.events[0].beat_seen.index == 7
        await stream.done_writing()
        assert await stream.code() is grpc.StatusCode.OK

    async def download(channel: grpc.aio.Channel) -> None:
        stub = worker_pb2_grpc.MasterServiceStub(channel)
        call = stub.DownloadFile(worker_pb2.DownloadFileRequest(), timeout=PATIENCE_S)
        assert [answer.data async for answer in call] == [b"x"]

    async def upload(channel: grpc.aio.Channel) -> None:
        stub = worker_pb2_grpc.MasterServiceStub(channel)
        parts = [worker_pb2.UploadFileRequest(data=b"x")] * 3
        assert (await stub.UploadFile(iter(parts), timeout=PATIENCE_S)).stored

    async def health(channel: grpc.aio.Channel) -> None:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING

    async def visit(running: Running) -> None:
        for call in (beat, work, download, upload, health):
            async with calling(good, running.target) as channel:
                await call(channel)
        async with calling(wrong, running.target) as channel:
            assert (await refused(beat(channel))).code() is grpc.StatusCode.UNAUTHENTICATED
        assert running.calls["messages"] == 4

    lines = logged(caplog, server, visit)
    assert not [line for line in lines if "TLS" in line]
    assert len([line for line in lines if "no token" in line]) == 1  # the door's own word


def test_peers_are_those_of_one_port_and_only_while_they_are_there() -> None:
    async def run() -> None:
        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with listening(hold) as one, listening(hold) as other:
            _, writer = await asyncio.open_connection("127.0.0.1", one)
            mine = writer.get_extra_info("sockname")
            await connected(one, 1)
            assert peers_of(one) == {tuple(mine)}
            assert peers_of(other) == frozenset()
            writer.close()
            await writer.wait_closed()
            await connected(one, 0)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("ipv4:10.0.0.7:53422", ("10.0.0.7", 53422)),
        ("ipv6:%5B::1%5D:53422", ("::1", 53422)),
        ("ipv6:%5B::ffff:10.0.0.7%5D:53422", ("10.0.0.7", 53422)),
        ("unix:/run/socket", None),
    ],
)
def test_names_of_peers_are_read(name: str, peer: tuple[str, int] | None) -> None:
    assert parse_peer(name) == peer


def test_before_a_server_listens_nothing_is_looked_at() -> None:
    handshakes = Handshakes(SystemClock())
    handshakes.begins()
    handshakes.look()
    assert handshakes.port == 0
