"""Tokens at the door of a real server: who comes in, who does not, and what they are told."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.integration.engines.remote.access_servers import (
    PATIENCE_S,
    bearing,
    beat,
    calling,
    guarded,
    lines_of,
    refused,
    serving,
)
from tests.integration.engines.remote.listeners import listening

from morphml.clock import SystemClock
from morphml.engines.remote.access import (
    METHOD_SCOPES,
    Cause,
    ClientAccess,
    Scope,
    TokenFile,
    server_access,
)
from morphml.engines.remote.proto import worker_pb2, worker_pb2_grpc
from morphml.errors import AccessError, CallerError


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.json"
    TokenFile(path).ensure()
    return path


@pytest.fixture
def strangers(tmp_path: Path) -> Path:
    """Tokens of another master."""
    path = tmp_path / "strangers.json"
    TokenFile(path).ensure()
    return path


# --- who comes in --------------------------------------------------------------------------------


def test_the_right_token_opens_every_kind_of_call(tokens: Path) -> None:
    async def run() -> dict[str, int]:
        async with serving(guarded(tokens)) as server, calling(bearing(tokens), server.target) as c:
            stub = worker_pb2_grpc.MasterServiceStub(c)
            await beat(c)
            stream = stub.Work(timeout=PATIENCE_S)
            for index in range(3):
                event = worker_pb2.WorkerEvent(beat=worker_pb2.Beat(index=index))
                await stream.write(worker_pb2.WorkRequest(events=[event]))
                answer = await stream.read()
                assert answer.events[0].beat_seen.index == index
            await stream.done_writing()
            parts = [worker_pb2.UploadFileRequest(data=b"x")] * 2
            assert (await stub.UploadFile(iter(parts), timeout=PATIENCE_S)).stored
            request = worker_pb2.DownloadFileRequest()
            assert [part.data async for part in stub.DownloadFile(request, timeout=60)] == [b"x"]
            return dict(server.calls)

    assert asyncio.run(run()) == {
        "Heartbeat": 1,
        "Work": 1,
        "messages": 5,
        "UploadFile": 1,
        "DownloadFile": 1,
    }


def test_no_token_and_a_strangers_token_are_told_which_file_to_copy(
    tokens: Path, strangers: Path
) -> None:
    async def run() -> None:
        async with serving(guarded(tokens)) as server:
            for access in (ClientAccess(), bearing(strangers)):
                async with calling(access, server.target) as channel:
                    error = await refused(beat(channel))
                    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
                    problem = await access.problem(error, server.target)
                    assert problem.cause is Cause.TOKEN
                    assert "copy the master's token file" in problem.message
                    assert "\n" not in problem.message
            assert str(strangers) in problem.message
            assert dict(server.calls) == {}

    asyncio.run(run())


def test_a_workers_token_does_not_stop_workers(tokens: Path) -> None:
    async def run() -> dict[str, int]:
        async with serving(guarded(tokens)) as server:
            for scope in (Scope.WORKER, Scope.SUBMIT):
                async with calling(bearing(tokens, scope=scope), server.target) as channel:
                    stub = worker_pb2_grpc.WorkerServiceStub(channel)
                    request = worker_pb2.ShutdownRequest()
                    error = await refused(stub.Shutdown(request, timeout=PATIENCE_S))
                    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
                    assert "'admin' is needed" in (error.details() or "")
            async with calling(bearing(tokens, scope=Scope.ADMIN), server.target) as channel:
                stub = worker_pb2_grpc.WorkerServiceStub(channel)
                await stub.Shutdown(worker_pb2.ShutdownRequest(), timeout=PATIENCE_S)
            async with calling(bearing(tokens, scope=Scope.SUBMIT), server.target) as channel:
                stub = worker_pb2_grpc.WorkerServiceStub(channel)
                await stub.GetStatus(worker_pb2.GetStatusRequest(), timeout=PATIENCE_S)
                error = await refused(beat(channel))
                assert error.code() is grpc.StatusCode.PERMISSION_DENIED
            return dict(server.calls)

    assert asyncio.run(run()) == {"Shutdown": 1, "GetStatus": 1}


def test_health_is_free_and_an_unknown_method_is_not(tokens: Path) -> None:
    async def run() -> None:
        async with (
            serving(guarded(tokens)) as server,
            calling(ClientAccess(), server.target) as channel,
        ):
            stub = health_pb2_grpc.HealthStub(channel)
            checked = await stub.Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE_S)
            assert checked.status == health_pb2.HealthCheckResponse.SERVING
            unknown = channel.unary_unary("/morphml.worker.v1.MasterService/NoSuch")
            error = await refused(unknown(b"", timeout=PATIENCE_S))
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED

    asyncio.run(run())


def test_every_method_of_the_protocol_has_a_scope() -> None:
    services = worker_pb2.DESCRIPTOR.services_by_name.values()
    methods = {f"/{s.full_name}/{method.name}" for s in services for method in s.methods}
    assert len(methods) == 11
    assert methods <= METHOD_SCOPES.keys()
    assert all(METHOD_SCOPES[method] is not None for method in methods)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic {}", "bearer {}", "Bearer {}x", "{}", "Bearer é"]
)
def test_a_header_of_another_form_is_refused(tokens: Path, header: str) -> None:
    secret = json.loads(tokens.read_text(encoding="utf-8"))["worker"]

    async def run() -> dict[str, int]:
        async with (
            serving(guarded(tokens)) as server,
            calling(ClientAccess(), server.target) as channel,
        ):
            stub = worker_pb2_grpc.MasterServiceStub(channel)
            metadata = (
                ("authorization", header.format(secret).encode("latin-1").decode("latin-1")),
            )
            if not header.isascii():
                metadata = (("authorization-bin", header.encode()),)
            call = stub.Heartbeat(
                worker_pb2.HeartbeatRequest(), metadata=metadata, timeout=PATIENCE_S
            )
            error = await refused(call)
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED
            return dict(server.calls)

    assert asyncio.run(run()) == {}


# --- what it costs us ----------------------------------------------------------------------------


def test_a_huge_message_without_token_is_refused_before_it_is_read(tokens: Path) -> None:
    """256 MiB are offered; what passes is at most what the transport buffers."""

    async def run() -> tuple[dict[str, int], int]:
        passed = 0

        async def pump(
            source: asyncio.StreamReader, to: asyncio.StreamWriter, counted: bool
        ) -> None:
            nonlocal passed
            try:
                while data := await source.read(65536):
                    passed += len(data) if counted else 0
                    to.write(data)
                    await to.drain()
            except ConnectionError:
                pass  # either side may end it
            finally:
                to.close()

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inner, out = await asyncio.open_connection("127.0.0.1", server.port)
            try:
                await asyncio.gather(pump(reader, out, True), pump(inner, writer, False))
            finally:
                out.transport.abort()

        async with serving(guarded(tokens)) as server:
            async with listening(forward) as port:
                options = [("grpc.max_send_message_length", -1)]
                async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as c:
                    for method in ("Heartbeat", "Work"):
                        path = f"/morphml.worker.v1.MasterService/{method}"
                        call = c.unary_unary(path)(bytes(256 * 2**20), timeout=PATIENCE_S)
                        error = await refused(call)
                        assert error.code() is grpc.StatusCode.UNAUTHENTICATED
            return dict(server.calls), passed

    calls, passed = asyncio.run(run())
    assert calls == {}
    assert passed < 16 * 2**20


def test_a_message_above_the_limit_is_refused_with_the_right_token_too(tokens: Path) -> None:
    async def run() -> dict[str, int]:
        async with serving(guarded(tokens)) as server:
            options = [("grpc.max_send_message_length", -1)]
            metadata = (
                ("authorization", f"Bearer {TokenFile(tokens).read().secret(Scope.WORKER)}"),
            )
            async with grpc.aio.insecure_channel(server.target, options=options) as channel:
                path = "/morphml.worker.v1.MasterService/Heartbeat"
                call = channel.unary_unary(path)
                big = call(bytes(5 * 2**20), metadata=metadata, timeout=PATIENCE_S)
                error = await refused(big)
                assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
                await call(b"", metadata=metadata, timeout=PATIENCE_S)  # the server is well
            return dict(server.calls)

    assert asyncio.run(run()) == {"Heartbeat": 1}


def test_a_peer_is_logged_once_for_each_reason_and_no_secret_ever(
    tokens: Path, strangers: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with serving(guarded(tokens)) as server:
            for _ in range(3):
                for access in (ClientAccess(), bearing(strangers)):
                    async with calling(access, server.target) as channel:
                        for _ in range(5):
                            await refused(beat(channel))

    with caplog.at_level(logging.DEBUG, "morphml"):
        asyncio.run(run())
    lines = lines_of(caplog)
    assert len(lines) == 2
    assert all("127.0.0.1" in line and str(tokens) in line for line in lines)
    secrets = [
        secret
        for path in (tokens, strangers)
        for secret in json.loads(path.read_text(encoding="utf-8")).values()
    ]
    assert not [line for line in lines for secret in secrets if secret in line]


# --- where one listens ---------------------------------------------------------------------------


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "localhost:0", "127.8.9.1:0"])
def test_no_token_is_accepted_on_loopback(listen: str) -> None:
    access = server_access(listen, token_file=None, tls=None, clock=SystemClock())
    assert access.interceptors == ()


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.invalid:0"])
def test_no_token_is_refused_where_others_reach_it(listen: str) -> None:
    with pytest.raises(AccessError, match="--no-token works only on a loopback address"):
        server_access(listen, token_file=None, tls=None, clock=SystemClock())


def test_a_wide_address_without_tls_is_warned_of(
    tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "morphml"):
        server_access("127.0.0.1:0", token_file=tokens, tls=None, clock=SystemClock())
        assert lines_of(caplog) == []
        server_access("0.0.0.0:0", token_file=tokens, tls=None, clock=SystemClock())
    (line,) = lines_of(caplog)
    assert "without TLS" in line


def test_a_port_in_use_is_named(tokens: Path) -> None:
    async def run() -> None:
        async with serving(guarded(tokens)) as server:
            second = guarded(tokens)
            with pytest.raises(CallerError, match=f"{server.port}: Address already in use"):
                second.bind(second.server(), server.target)

    asyncio.run(run())


def test_an_address_of_another_machine_is_named(tokens: Path) -> None:
    async def run() -> None:
        access = guarded(tokens)
        with pytest.raises(CallerError, match="Cannot assign requested address"):
            access.bind(access.server(), "192.0.2.1:0")

    asyncio.run(run())
