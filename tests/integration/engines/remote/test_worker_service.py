"""The worker's own service, for operators."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.integration.engines.remote.access_servers import bearing, guarded
from tests.integration.engines.remote.scripted import eventually
from tests.integration.engines.remote.scripted_master import (
    ScriptedMaster,
    context,
    score,
    task,
    token_of,
)
from tests.integration.engines.remote.worker_processes import HERE

from morphml.clock import SystemClock
from morphml.engines.remote.access import ClientAccess, Scope, ServerAccess
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.proto import worker_pb2_grpc as rpc
from morphml.engines.remote.worker import RemoteWorker, WorkerSettings
from morphml.errors import AccessError

Answer = TypeVar("Answer")


@pytest.fixture
def port(caplog: pytest.LogCaptureFixture) -> Callable[[], int]:
    """The port of the service of this test's only worker, once it listens."""
    caplog.set_level(logging.INFO, "morphml")

    def found() -> int:
        said = re.compile(r"operators are answered on port (\d+)")
        eventually(lambda: said.search(caplog.text), what="a port")
        told = said.search(caplog.text)
        assert told
        return int(told[1])

    return found


@contextmanager
def working(
    master: ScriptedMaster, folder: Path, doors: ServerAccess | None, port: int = 0
) -> Iterator[list[int]]:
    """A worker in a thread of this process; its exit code when it is over."""
    settings = WorkerSettings(
        masters=(f"127.0.0.1:{master.port}",),
        slots=2,
        folder=folder,
        name="served",
        listen=f"127.0.0.1:{port}",
    )
    worker = RemoteWorker(settings, ClientAccess(), SystemClock(), doors=doors)
    codes: list[int] = []
    life = threading.Thread(target=lambda: codes.append(worker.run()))
    life.start()
    try:
        yield codes
    finally:
        worker.stop(7)
        life.join(90)


def asked(
    port: int, access: ClientAccess, call: Callable[[rpc.WorkerServiceStub], Awaitable[Answer]]
) -> Answer:
    async def asking() -> Answer:
        channel = access.channel(f"127.0.0.1:{port}")
        try:
            return await call(rpc.WorkerServiceStub(channel))
        finally:
            await channel.close()

    return asyncio.run(asking())


def served(port: int, service: str) -> bool:
    """Whether a health check finds the service."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        answer = check(health_pb2.HealthCheckRequest(service=service), timeout=30)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


@pytest.fixture
def evaluators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("TALLY", str(tmp_path / "tally"))
    return tmp_path / "tally"


@pytest.mark.usefixtures("no_torch", "evaluators")
def test_operator_sees_cancels_evaluates_and_ends(tmp_path: Path, port: Callable[[], int]) -> None:
    tokens = tmp_path / "tokens.json"
    doors = guarded(tokens)
    admin, submit = bearing(tokens, scope=Scope.ADMIN), bearing(tokens, scope=Scope.SUBMIT)
    with ScriptedMaster() as master, working(master, tmp_path / "w", doors) as codes:
        master.wait_for("beat")
        ask = partial(asked, port())
        running = task(0, 60.0)
        master.send(context("evaluate"), running)
        master.wait_for("started")

        status = ask(submit, lambda stub: stub.GetStatus(pb.GetStatusRequest()))
        assert (status.name, status.slots) == ("served", 2)
        assert status.master == f"127.0.0.1:{master.port}"
        assert list(status.beat.running) == [token_of(running)]
        assert served(port(), "morphml.worker.v1.WorkerService"), (
            "who asks for health needs no token"
        )

        mine = task(5, experiment="mine")
        request = pb.EvaluateRequest(
            context=context("evaluate", experiment="mine").context, task=mine.task
        )
        answer = ask(submit, lambda stub: stub.Evaluate(request))
        assert score(answer.result) == {"score": 5.0}
        assert answer.result.attempt.token == token_of(mine)

        cancel = pb.CancelTaskRequest(token=token_of(running))
        with pytest.raises(grpc.aio.AioRpcError, match=r"(?i)scope|admin"):
            ask(submit, lambda stub: stub.CancelTask(cancel))
        assert ask(admin, lambda stub: stub.CancelTask(cancel)).known
        master.wait_for("result")
        assert master.ends()[token_of(running)].HasField("cancelled")
        assert not ask(admin, lambda stub: stub.CancelTask(cancel)).known

        ask(admin, lambda stub: stub.Shutdown(pb.ShutdownRequest(grace_s=1.0)))
        master.wait_for("leaving")
        end = time.monotonic() + 120
        while not codes and time.monotonic() < end:
            time.sleep(0.02)
        assert codes == [0]
        told = {each.attempt.token for each in master.results()}
        assert told == {token_of(running)}, "what an operator ran is no master's affair"


@pytest.mark.usefixtures("no_torch", "evaluators")
def test_evaluation_by_hand_cannot_replace_what_a_master_told(
    tmp_path: Path, port: Callable[[], int]
) -> None:
    tokens = tmp_path / "tokens.json"
    doors = guarded(tokens)
    submit = bearing(tokens, scope=Scope.SUBMIT)
    with ScriptedMaster() as master, working(master, tmp_path / "w", doors):
        master.wait_for("beat")
        known = task(1)
        master.send(context("evaluate"), known)
        master.wait_for("result")
        other = pb.EvaluateRequest(context=context("reporting").context, task=task(2).task)
        with pytest.raises(grpc.aio.AioRpcError, match="another context"):
            asked(port(), submit, lambda stub: stub.Evaluate(other))


def test_service_without_tokens_tells_the_status_only(
    tmp_path: Path, port: Callable[[], int]
) -> None:
    with ScriptedMaster() as master, working(master, tmp_path, None):
        master.wait_for("beat")
        status = asked(port(), ClientAccess(), lambda stub: stub.GetStatus(pb.GetStatusRequest()))
        assert status.name == "served"
        for call in (
            lambda stub: stub.Shutdown(pb.ShutdownRequest()),
            lambda stub: stub.CancelTask(pb.CancelTaskRequest(token="0" * 32)),
            lambda stub: stub.Evaluate(pb.EvaluateRequest()),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                asked(port(), ClientAccess(), call)
            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_service_that_others_reach_needs_tokens(tmp_path: Path) -> None:
    settings = WorkerSettings(masters=("a",), slots=1, folder=tmp_path, listen="0.0.0.0:0")
    with pytest.raises(AccessError, match="loopback"):
        RemoteWorker(settings, ClientAccess(), SystemClock())
    assert not list(tmp_path.iterdir())


def test_worker_lives_where_an_event_loop_runs_already(tmp_path: Path) -> None:
    settings = WorkerSettings(masters=("127.0.0.1:1",), slots=1, folder=tmp_path)
    worker = RemoteWorker(settings, ClientAccess(), SystemClock())

    async def cell() -> int:
        worker.stop(7)
        return worker.run()

    assert asyncio.run(cell()) == 7


def test_worker_that_cannot_listen_says_so_and_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with ScriptedMaster() as master, working(master, tmp_path, None, port) as codes:
            end = time.monotonic() + 120
            while not codes and time.monotonic() < end:
                time.sleep(0.02)
            assert codes == [2]
    assert re.search(rf"cannot listen on 127.0.0.1:{port}: .*--port", caplog.text)
