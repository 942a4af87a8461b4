"""Workers without a stream: the same steps as single calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import grpc
import pytest
from tests.integration.engines.remote.scripted import (
    PATIENT,
    QUICK,
    Site,
    attempt,
    eventually,
    name_of,
)

import morphml
from morphml.engines.port import Failed, Started, Succeeded
from morphml.engines.remote import announcing
from morphml.engines.remote.hub import polling
from morphml.engines.remote.messages import AttemptName, Registration
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.proto import worker_pb2_grpc as rpc
from morphml.testing.clock import FakeClock


class PollingWorker:
    def __init__(self, port: int) -> None:
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = rpc.MasterServiceStub(self.channel)  # type: ignore[no-untyped-call]  # generated
        self.beats = 0

    def register(
        self, version: str = morphml.__version__, attempts: tuple[AttemptName, ...] = ()
    ) -> pb.RegisterWorkerResponse:
        registration = Registration(
            worker="edge",
            name="edge",
            morphml_version=version,
            python_version="3.11.9",
            slots=2,
            attempts=attempts,
        )
        message = announcing.registration_to_proto(registration)
        answer = self.stub.RegisterWorker(pb.RegisterWorkerRequest(registration=message))
        assert isinstance(answer, pb.RegisterWorkerResponse)
        return answer

    def ask(self, limit: int = 9, wait_s: float = 0.0) -> list[pb.Task]:
        request = pb.RequestTaskRequest(worker_id="edge", limit=limit, wait_s=wait_s)
        events = self.stub.RequestTask(request).events
        return [event.task for event in events if event.WhichOneof("event") == "task"]

    def beat(self, *running: str) -> list[str]:
        self.beats += 1
        beat = pb.Beat(index=self.beats, running=running)
        events = self.stub.Heartbeat(pb.HeartbeatRequest(worker_id="edge", beat=beat)).events
        return [str(event.WhichOneof("event")) for event in events]

    def hand_in(self, *tasks: pb.Task) -> list[str]:
        results = [
            pb.WorkerEvent(
                result=pb.Result(
                    attempt=task.attempt,
                    started_at=time.time(),
                    succeeded=pb.Succeeded(metrics={"score": 1.0}),
                )
            )
            for task in tasks
        ]
        request = pb.SubmitResultRequest(worker_id="edge", events=results)
        return list(self.stub.SubmitResult(request).acknowledged.tokens)


@pytest.fixture
def edge(place: Site) -> Iterator[PollingWorker]:
    worker = PollingWorker(place.hub.port)
    yield worker
    worker.channel.close()


def test_polling_worker_gets_tasks_and_hands_results_in(
    place: Site, edge: PollingWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "_STORE_WAIT_S", PATIENT.suspect_after_s)
    driver = place.driver()
    welcome = edge.register().welcome
    assert (welcome.refusal, welcome.master) == ("", "ab" * 16)
    assert place.hub.free() == 2
    for number in range(3):
        driver.lane.submit(attempt(number=number))
    (first,) = edge.ask(limit=1)
    (second,) = edge.ask()
    assert edge.ask() == []
    assert edge.beat(first.attempt.token, second.attempt.token) == ["beat_seen"]
    stored = threading.Thread(
        target=lambda: driver.lane.acknowledge([end.token for end in driver.await_ends(2)])
    )
    stored.start()
    assert sorted(edge.hand_in(first, second)) == sorted(
        [first.attempt.token, second.attempt.token]
    )
    stored.join()
    assert all(isinstance(end.outcome, Succeeded) for end in driver.await_ends(2))
    (third,) = edge.ask(wait_s=5.0)
    assert third.attempt.number == 2
    monkeypatch.setattr(polling, "_STORE_WAIT_S", 0.2)
    assert edge.hand_in(third) == []  # not stored yet
    driver.await_ends(3)
    driver.lane.acknowledge(driver.ends()[2:])
    assert edge.hand_in(third) == [third.attempt.token]
    driver.quiet()


def test_polling_worker_waits_for_a_task_only_as_long_as_needed(
    place: Site, edge: PollingWorker
) -> None:
    driver = place.driver()
    edge.register()
    threading.Timer(0.2, lambda: driver.lane.submit(attempt())).start()
    began = time.monotonic()
    assert len(edge.ask(wait_s=60.0)) == 1
    assert time.monotonic() - began < 45


def test_silent_polling_worker_is_lost_and_has_to_register_again(
    timed: Site, clock: FakeClock
) -> None:
    edge, driver = PollingWorker(timed.hub.port), timed.driver()
    edge.register()
    driver.lane.submit(attempt())
    (task,) = edge.ask(wait_s=2.0)
    started = pb.Started(token=task.attempt.token, slot="edge/slot-1", at=1.0)
    request = pb.SubmitResultRequest(worker_id="edge", events=[pb.WorkerEvent(started=started)])
    edge.stub.SubmitResult(request)
    driver.pump(lambda: driver.of(Started))
    timed.pass_time(clock, QUICK.lost_after_s + 0.5)
    (end,) = driver.await_ends(1)
    assert isinstance(end.outcome, Failed)
    with pytest.raises(grpc.RpcError) as caught:
        edge.beat()
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    edge.register()
    assert edge.beat() == ["beat_seen"]
    edge.channel.close()


def test_polling_worker_is_refused_and_corrected_as_others_are(
    place: Site, edge: PollingWorker
) -> None:
    assert "9.9" in edge.register(version="9.9").welcome.refusal
    for call in (edge.beat, edge.ask):
        with pytest.raises(grpc.RpcError) as caught:
            call()  # type: ignore[operator]  # both take nothing
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    foreign = attempt()
    edge.register(attempts=(name_of(foreign),))
    eventually(lambda: "verdict" in edge.beat(foreign.token))
    request = pb.SubmitResultRequest(worker_id="edge", events=[pb.WorkerEvent()])
    with pytest.raises(grpc.RpcError) as caught:
        edge.stub.SubmitResult(request)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
