"""Real servers on loopback ports, with servicers that count what reaches them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from morphml.clock import SystemClock
from morphml.engines.remote.access import (
    ClientAccess,
    ClientTls,
    KeyPair,
    Scope,
    ServerAccess,
    ServerTls,
    client_access,
    server_access,
)
from morphml.engines.remote.access.certificates import make_certificates
from morphml.engines.remote.proto import worker_pb2, worker_pb2_grpc

#: No test waits longer for an answer, in seconds.
PATIENCE_S = 90


class CountingMaster(worker_pb2_grpc.MasterServiceServicer):
    def __init__(self, calls: Counter[str]) -> None:
        self._calls = calls

    async def Work(self, requests, context):
        self._calls["Work"] += 1
        async for request in requests:
            self._calls["messages"] += 1
            for event in request.events:
                beat = worker_pb2.BeatSeen(index=event.beat.index)
                yield worker_pb2.WorkResponse(events=[worker_pb2.MasterEvent(beat_seen=beat)])

    async def Heartbeat(self, request, context):
        self._calls["Heartbeat"] += 1
        return worker_pb2.HeartbeatResponse()

    async def UploadFile(self, requests, context):
        self._calls["UploadFile"] += 1
        async for _ in requests:
            self._calls["messages"] += 1
        return worker_pb2.UploadFileResponse(stored=True)

    async def DownloadFile(self, request, context):
        self._calls["DownloadFile"] += 1
        yield worker_pb2.DownloadFileResponse(data=b"x")


class CountingWorker(worker_pb2_grpc.WorkerServiceServicer):
    def __init__(self, calls: Counter[str]) -> None:
        self._calls = calls

    async def Shutdown(self, request, context):
        self._calls["Shutdown"] += 1
        return worker_pb2.ShutdownResponse()

    async def GetStatus(self, request, context):
        self._calls["GetStatus"] += 1
        return worker_pb2.GetStatusResponse()


@dataclass
class Running:
    """A server that runs."""

    port: int
    #: Calls and messages that reached a servicer.
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(access: ServerAccess, listen: str = "127.0.0.1:0") -> AsyncIterator[Running]:
    running = Running(port=0)
    server = access.server()
    worker_pb2_grpc.add_MasterServiceServicer_to_server(CountingMaster(running.calls), server)
    worker_pb2_grpc.add_WorkerServiceServicer_to_server(CountingWorker(running.calls), server)
    checks = health.aio.HealthServicer()
    await checks.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    running.port = access.bind(server, listen)
    await server.start()
    try:
        yield running
    finally:
        await server.stop(0)


@asynccontextmanager
async def calling(access: ClientAccess, target: str) -> AsyncIterator[grpc.aio.Channel]:
    channel = access.channel(target)
    try:
        yield channel
    finally:
        await channel.close()


async def beat(channel: grpc.aio.Channel) -> worker_pb2.HeartbeatResponse:
    stub = worker_pb2_grpc.MasterServiceStub(channel)
    return await stub.Heartbeat(worker_pb2.HeartbeatRequest(), timeout=PATIENCE_S)


async def refused(call) -> grpc.aio.AioRpcError:
    """The error that a call ends with."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("the call was let in")


def guarded(token_file: Path, tls: ServerTls | None = None) -> ServerAccess:
    return server_access("127.0.0.1:0", token_file=token_file, tls=tls, clock=SystemClock())


def bearing(
    token_file: Path | None, tls: ClientTls | None = None, scope: Scope = Scope.WORKER
) -> ClientAccess:
    return client_access(token_file=token_file, scope=scope, tls=tls, clock=SystemClock())


def certificates(
    folder: Path, *, hosts: tuple[str, ...] = ("127.0.0.1", "localhost"), age_days: int = 0
) -> Path:
    """A folder of certificates valid for 7 days, made ``age_days`` days ago."""
    now = datetime.now(UTC) - timedelta(days=age_days)
    make_certificates(folder, hosts=hosts, days=7, now=now)
    return folder


def pair(folder: Path, role: str) -> KeyPair:
    return KeyPair(certificate=folder / f"{role}.pem", key=folder / f"{role}.key")


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged here; asyncio complains of loops that earlier tests have closed."""
    return [each.getMessage() for each in caplog.records if each.name.startswith("morphml")]
