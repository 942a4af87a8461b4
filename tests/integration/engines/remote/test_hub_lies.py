"""Workers that lie, send garbage, or are not fit to be taken."""

from __future__ import annotations

import logging

import grpc
import pytest
from tests.integration.engines.remote.scripted import (
    E1,
    ScriptedWorker,
    Site,
    attempt,
    eventually,
    named,
    running,
)

from morphml.engines.port import (
    Reported,
    Succeeded,
)
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.ids import new_token


def logged(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Warnings of this side and of gRPC.

    Without asyncio's: gRPC tells the loops of earlier tests of this process, and they are closed.
    """
    records = [each for each in caplog.records if each.levelno >= logging.WARNING]
    return [each for each in records if each.name != "asyncio"]


# --- lies -----------------------------------------------------------------------------------------


def test_result_of_another_workers_attempt_does_no_harm(place: Site) -> None:
    honest, driver = place.worker("honest"), place.driver()
    task = running(place, honest, driver)
    liar = place.worker("liar")
    liar.finish(task, metrics={"score": 1e9})
    liar.say(
        pb.WorkerEvent(report=pb.Report(token=task.attempt.token, step=9)),
        pb.WorkerEvent(returned=pb.Returned(tokens=[task.attempt.token])),
        pb.WorkerEvent(accepted=pb.Accepted(tokens=[task.attempt.token])),
    )
    eventually(lambda: task.attempt.token in liar.killed())
    liar.beat()
    driver.quiet(0.1)
    assert honest.killed() == []
    honest.finish(task, metrics={"score": 0.5})
    (end,) = driver.await_ends(1)
    assert end.outcome == Succeeded(metrics={"score": 0.5})
    assert driver.of(Reported) == []


def test_result_with_another_number_is_not_taken(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    task = running(place, worker, driver)
    false = pb.Task(attempt=pb.AttemptName(token=task.attempt.token, owner=E1, number=99))
    worker.finish(false)
    driver.quiet(0.1)
    assert driver.ends() == []


def test_announcing_another_workers_attempt_does_not_take_it_away(place: Site) -> None:
    honest, driver = place.worker("honest"), place.driver()
    task = running(place, honest, driver)
    place.records.adoptable.add(task.attempt.token)  # type: ignore[arg-type]  # a text is a token
    liar = place.worker("liar", attempts=(named(task),))
    eventually(lambda: liar.killed() == [task.attempt.token])
    honest.finish(task)
    driver.await_ends(1)
    assert place.records.asked == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff\xff\xff not a message", grpc.StatusCode.INVALID_ARGUMENT),
        (b"\x00" * (5 << 20), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (
            pb.WorkRequest(
                events=[pb.WorkerEvent(started=pb.Started(token="me", at=1))]
            ).SerializeToString(),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
        (
            pb.WorkRequest(events=[pb.WorkerEvent()]).SerializeToString(),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
    ],
    ids=["bytes", "large", "token", "empty"],
)
def test_garbage_ends_the_stream_with_a_status_and_harms_nobody_else(
    place: Site, data: bytes, code: grpc.StatusCode, caplog: pytest.LogCaptureFixture
) -> None:
    honest, driver = place.worker("honest"), place.driver()
    liar = place.worker("liar", slots=50)
    task = running(place, honest, driver) if honest.tasks() else None
    caplog.set_level(logging.WARNING)
    liar.say_bytes(data)
    found, _ = liar.wait_for_end()
    assert found == code
    eventually(lambda: place.state("liar") in ("suspect", "lost"))
    if task is None:
        driver.lane.submit(attempt())
        task = honest.await_tasks(1)[0]
    honest.finish(task)
    driver.await_ends(1)
    lines = logged(caplog)
    assert len(lines) <= 1
    assert all(len(record.getMessage()) < 400 for record in lines)


def test_stream_without_a_registration_ends(quick: Site) -> None:
    silent = ScriptedWorker(quick.hub.port).dial(register=False)
    assert silent.wait_for_end()[0] == grpc.StatusCode.INVALID_ARGUMENT
    other = ScriptedWorker(quick.hub.port).dial(register=False)
    other.say(pb.WorkerEvent(leaving=pb.Leaving()))
    code, reason = other.wait_for_end()
    assert (code, "registration" in reason) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    assert quick.hub.workers() == []


@pytest.mark.parametrize(
    ("fields", "word"),
    [({"protocol": 99}, "protocol"), ({"morphml_version": "9.1.0"}, "9.1.0")],
)
def test_worker_of_another_protocol_or_release_is_told_why_it_is_not_taken(
    place: Site, fields: dict[str, object], word: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        worker = place.worker(**fields)  # type: ignore[arg-type]  # a registration's own
        code, reason = worker.wait_for_end()
        assert code == grpc.StatusCode.FAILED_PRECONDITION
        assert word in reason
        assert worker.of("welcome")[0].welcome.refusal == reason
    assert place.hub.workers() == []
    assert [r.getMessage() for r in caplog.records if "is not taken" in r.getMessage()] == [
        f"worker box-w1 is not taken: {reason}"
    ]


def test_worker_of_another_python_is_taken_with_a_warning(place: Site) -> None:
    worker = place.worker(python_version="2.7.18")
    assert "2.7.18" in worker.of("welcome")[0].welcome.warning
    assert place.hub.slots() == 2


def test_unknown_token_in_any_event_is_killed(place: Site) -> None:
    worker, stranger = place.worker(), new_token()
    worker.say(pb.WorkerEvent(report=pb.Report(token=stranger, step=1)))
    eventually(lambda: worker.killed() == [stranger])


def test_garbage_in_a_single_call_ends_that_call_with_a_status(
    place: Site, caplog: pytest.LogCaptureFixture
) -> None:
    garbage = b"\xff\xff\xff"
    with grpc.insecure_channel(f"127.0.0.1:{place.hub.port}") as channel:
        calls = {
            "RegisterWorker": lambda path: channel.unary_unary(path)(garbage),
            "Heartbeat": lambda path: channel.unary_unary(path)(garbage),
            "RequestTask": lambda path: channel.unary_unary(path)(garbage),
            "SubmitResult": lambda path: channel.unary_unary(path)(garbage),
            "DownloadFile": lambda path: list(channel.unary_stream(path)(garbage)),
            "UploadFile": lambda path: channel.stream_unary(path)(iter([garbage])),
        }
        for name, call in calls.items():
            caplog.clear()
            with pytest.raises(grpc.RpcError) as caught:
                call(f"/morphml.worker.v1.MasterService/{name}")
            refused = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)
            assert caught.value.code() in refused, name
            assert [record.exc_info for record in logged(caplog)] == [None], name
