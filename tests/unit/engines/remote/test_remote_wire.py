from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from morphml.engines.port import (
    OUTPUTS_LIMIT,
    Assignment,
    Cancelled,
    Failed,
    Finished,
    JobCall,
    Logged,
    Order,
    Outcome,
    PausedAt,
    Reported,
    Returned,
    Started,
    Stopped,
    Succeeded,
)
from morphml.engines.remote import announcing, checking, ends, job_calls, wire
from morphml.engines.remote.messages import (
    AttemptName,
    Beat,
    CheckpointFile,
    ContextMessage,
    Figures,
    GpuFigures,
    Registration,
    ShutGpu,
)
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.wire import ProtocolError
from morphml.ids import ExperimentId, new_token
from morphml.optimizers.events import JSON
from morphml.scheduling.failures import FailureKind

TOKEN = new_token()
NAME = AttemptName(token=TOKEN, owner=ExperimentId("e"), number=3, segment=2)


def over_the_wire(message: pb.Task) -> pb.Task:
    return pb.Task.FromString(message.SerializeToString())


def test_task_arrives_exactly() -> None:
    assignment = Assignment(
        token=TOKEN,
        experiment=ExperimentId("e"),
        number=4,
        segment=1,
        vector=(1, None, 0.1 + 0.2, 2**60, 1.0),
        seed=2**31 - 1,
        from_epoch=2,
        to_epoch=9,
        reported_step=0,
        checkpoint=Path("here.pt"),
        checkpoint_at_end=True,
        repeats=3,
        time_limit_s=1.5,
        memory_limit_bytes=2**33,
        device="cuda:1",
        requirements={"gpu": 0.5},
        avoid=("box/slot-1",),
    )
    lying = CheckpointFile(step=2, digest="ab" * 16, size=10)
    task = over_the_wire(wire.assignment_to_task(assignment, lying))
    found = wire.task_to_assignment(task, Path("here.pt"))
    assert found == assignment
    assert [type(code) for code in found.vector] == [type(code) for code in assignment.vector]
    assert wire.checkpoint_from_proto(task.checkpoint) == lying


def test_task_without_limits_and_reports_arrives_exactly() -> None:
    plain = Assignment(token=TOKEN, experiment=ExperimentId("e"), number=0, vector=(), seed=0)
    task = over_the_wire(wire.assignment_to_task(plain))
    assert wire.task_to_assignment(task) == plain
    assert not task.HasField("checkpoint")


FILE: dict[str, JSON] = {"artifact": "ab" * 16, "name": "model.pt", "size": 7}


def test_job_and_the_files_that_it_needs_arrive_exactly() -> None:
    config: dict[str, JSON] = {"a": [1, None, "x"], "model": FILE, "same": [{"again": FILE}]}
    job = JobCall(job="train[3]", type="my-type", config=config)
    plain = Assignment(
        token=TOKEN, experiment=ExperimentId("e"), number=0, vector=(), seed=0, job=job
    )
    found = wire.task_to_assignment(over_the_wire(wire.assignment_to_task(plain)))
    assert found == plain
    (file,) = job_calls.files_of(found)
    assert file.to_json() == FILE


def test_job_whose_config_cannot_be_sent_is_refused_before() -> None:
    large = JobCall(job="j", type="python", config={"x": "x" * job_calls.CONFIG_LIMIT})
    plain = Assignment(token=TOKEN, experiment=ExperimentId("e"), number=0, vector=(), seed=0)
    assert job_calls.refusal(plain) == ""
    assert "bytes" in job_calls.refusal(replace(plain, job=large))


@pytest.mark.parametrize(
    "outcome",
    [
        Succeeded(metrics={"score": 0.5, "größe": -1e300}),
        Succeeded(outputs={"rows": 3, "model": FILE, "nested": {"a": [None, 0.1]}}),
        Stopped(metrics={}),
        PausedAt(step=4),
        Cancelled(),
        Failed(
            kind=FailureKind.TIME_LIMIT,
            error_type="T",
            message="m\n",
            traceback="in f",
            digest="d",
        ),
    ],
)
def test_end_arrives_exactly(outcome: Outcome) -> None:
    end = Finished(token=TOKEN, outcome=outcome, worker="w/1", started_at=12.25, duration_s=0.5)
    result = ends.outcome_to_result(NAME, end)
    assert ends.result_to_finished(pb.Result.FromString(result.SerializeToString())) == (NAME, end)


def end_with(outcome: Outcome) -> Finished:
    return Finished(token=TOKEN, outcome=outcome, worker="", started_at=0, duration_s=0)


def test_result_that_is_too_large_becomes_a_failure_that_says_so() -> None:
    many = {f"metric-{i}": float(i) for i in range(60_000)}
    _, end = ends.result_to_finished(
        ends.outcome_to_result(NAME, end_with(Succeeded(metrics=many)))
    )
    assert isinstance(end.outcome, Failed)
    assert end.outcome.kind is FailureKind.USER_ERROR
    assert "bytes" in end.outcome.message


def test_result_text_is_cut_and_made_clean() -> None:
    failed = Failed(
        kind=FailureKind.CRASH, error_type="E", message="x" * 10**6, traceback="\udcff caf\u00e9"
    )
    _, end = ends.result_to_finished(ends.outcome_to_result(NAME, end_with(failed)))
    assert isinstance(end.outcome, Failed)
    assert len(end.outcome.message) == 20_000
    assert end.outcome.traceback == "? caf\u00e9"


def test_returned_task_is_no_result() -> None:
    with pytest.raises(ValueError, match="Returned"):
        ends.outcome_to_result(NAME, end_with(Returned()))


@pytest.mark.parametrize(
    "event",
    [
        Started(token=TOKEN, worker="w/1", at=1.5),
        Reported(token=TOKEN, step=7, metrics={"loss": 0.25}),
        Logged(token=TOKEN, stream="stderr", text="a\u20acb\n"),
    ],
)
def test_event_arrives_exactly(event: Started | Reported | Logged) -> None:
    message = wire.event_to_proto(event)
    assert message is not None
    assert wire.event_from_proto(pb.WorkerEvent.FromString(message.SerializeToString())) == event


def test_context_arrives_exactly() -> None:
    context = ContextMessage(
        experiment=ExperimentId("e"),
        space="input: [4]",
        evaluator="pkg.module:evaluate",
        bundle="ab" * 32,
        pickle=b"\x80",
        required=("score", "loss"),
        settings=b'{"limit":7}',
        digest="d",
    )
    sent = wire.context_to_proto(context)
    assert wire.context_from_proto(pb.Context.FromString(sent.SerializeToString())) == context


def test_registration_and_beat_arrive_exactly() -> None:
    registration = Registration(
        worker="w1",
        name="gpu-box 2",
        morphml_version="1.0",
        python_version="3.11.9",
        slots=4,
        capabilities={"cpu": 8, "memory": 2.0**36, "ssd": 1},
        attempts=(NAME,),
        results=(replace(NAME, token=new_token()),),
        bundles=("ab" * 32,),
    )
    sent = announcing.registration_to_proto(registration).SerializeToString()
    assert announcing.registration_from_proto(pb.Registration.FromString(sent)) == registration
    gpu = GpuFigures(
        index=0, model="G", percent=99.5, memory_percent=50, temperature_c=-3, errors=2
    )
    beat = Beat(
        index=9,
        figures=Figures(
            cpu_percent=180.5,
            memory_percent=20,
            disk_percent=1,
            disk_free=1e12,
            disk_rate=2e6,
            network_rate=3e6,
            gpus=(gpu,),
        ),
        running=(TOKEN,),
        queued=(new_token(),),
        unacknowledged=(new_token(), new_token()),
        shut_gpus=(ShutGpu(index=3, why="it is too hot: 95 C"),),
        shut_slots=2,
    )
    sent = announcing.beat_to_proto(beat).SerializeToString()
    assert announcing.beat_from_proto(pb.Beat.FromString(sent)) == beat


def test_beat_of_a_worker_that_does_not_know_its_disk_says_nothing_of_it() -> None:
    older = announcing.beat_from_proto(pb.Beat(index=1, figures=pb.Figures(cpu_percent=5.0)))
    assert older.figures == Figures(cpu_percent=5.0)
    assert older.figures.disk_free is None


def result(**fields: object) -> pb.Result:
    plain: dict[str, object] = {
        "attempt": wire.attempt_to_proto(NAME),
        "cancelled": pb.Cancelled(),
    }
    return pb.Result(**{**plain, **fields})  # type: ignore[arg-type]  # checked by protobuf


def putting_out(outputs: bytes) -> pb.Result:
    return result(succeeded=pb.Succeeded(outputs=outputs))


def job_with(config: bytes) -> pb.Task:
    return pb.Task(job=pb.Job(job="a", type="python", config=config))


LIES: list[tuple[Callable[[], object], str]] = [
    (lambda: ends.result_to_finished(pb.Result()), "hexadecimal"),
    (lambda: ends.result_to_finished(pb.Result(attempt=wire.attempt_to_proto(NAME))), "outcome"),
    (lambda: ends.result_to_finished(result(started_at=float("nan"))), "started_at"),
    (lambda: ends.result_to_finished(result(duration_s=-1)), "duration_s"),
    (lambda: ends.result_to_finished(result(failed=pb.Failed(kind="fun"))), "kind='fun'"),
    (
        lambda: ends.result_to_finished(
            result(succeeded=pb.Succeeded(metrics={"x": float("inf")}))
        ),
        r"metrics\['x'\]",
    ),
    (lambda: wire.attempt_from_proto(pb.AttemptName(token=TOKEN, owner="../up")), "owner"),
    (lambda: wire.attempt_from_proto(pb.AttemptName(token=TOKEN, owner="a/b")), "owner"),
    (lambda: wire.attempt_from_proto(pb.AttemptName(token="F" * 32, owner="e")), "token"),
    (lambda: wire.order_from_proto(pb.Order(token=TOKEN, order="dance")), "order='dance'"),
    (
        lambda: wire.event_from_proto(pb.WorkerEvent(log=pb.Log(token=TOKEN, stream="x"))),
        "stream",
    ),
    (
        lambda: wire.event_from_proto(pb.WorkerEvent(started=pb.Started(token="no" * 10**6, at=1))),
        "token",
    ),
    (lambda: announcing.registration_from_proto(pb.Registration(worker_id="w")), "slots=0"),
    (
        lambda: announcing.registration_from_proto(pb.Registration(worker_id="w\n", slots=1)),
        "worker_id",
    ),
    (
        lambda: announcing.registration_from_proto(
            pb.Registration(worker_id="w", slots=1, capabilities={"gpu": -1})
        ),
        "capabilities",
    ),
    (lambda: announcing.beat_from_proto(pb.Beat(running=["x"])), "token"),
    (
        lambda: announcing.beat_from_proto(pb.Beat(figures=pb.Figures(cpu_percent=float("nan")))),
        "cpu",
    ),
    (lambda: wire.context_from_proto(pb.Context(experiment="e", settings=b"[1]")), "settings"),
    (
        lambda: wire.context_from_proto(pb.Context(experiment="e", bundle="../../up")),
        "bundle",
    ),
    (
        lambda: wire.task_to_assignment(
            pb.Task(attempt=wire.attempt_to_proto(NAME), vector=b'["a"]', repeats=1)
        ),
        "vector",
    ),
    (
        lambda: wire.task_to_assignment(
            pb.Task(attempt=wire.attempt_to_proto(NAME), vector=b"[", repeats=1)
        ),
        "vector",
    ),
    (lambda: job_calls.job_of(pb.Task(job=pb.Job(type="python"))), "name of a job"),
    (lambda: job_calls.job_of(pb.Task(job=pb.Job(job="a", type="../x"))), "type"),
    (lambda: job_calls.job_of(job_with(b"[1]")), "no JSON object"),
    (lambda: job_calls.job_of(job_with(b"{")), "no JSON"),
    (lambda: job_calls.job_of(job_with(b" " * (job_calls.CONFIG_LIMIT + 1))), "bytes"),
    (lambda: ends.result_to_finished(putting_out(b"[]")), "no JSON object"),
    (lambda: ends.result_to_finished(putting_out(b" " * (OUTPUTS_LIMIT + 1))), "bytes"),
    (
        lambda: ends.result_to_finished(
            putting_out(b'{"x": {"artifact": "' + b"a" * 32 + b'", "name": "../x", "size": 1}}')
        ),
        "artifact",
    ),
]


@pytest.mark.parametrize(("read", "word"), LIES)
def test_lie_is_refused_with_the_field_and_a_short_message(
    read: Callable[[], object], word: str
) -> None:
    with pytest.raises(ProtocolError, match=word) as caught:
        read()
    assert len(str(caught.value)) < 300


def test_orders_are_read() -> None:
    found = [wire.order_from_proto(pb.Order(token=TOKEN, order=each.value)) for each in Order]
    assert found == [(TOKEN, each) for each in Order]


def test_texts_are_such_as_databases_take_and_names_stand_on_one_line() -> None:
    no = "\N{REPLACEMENT CHARACTER}"
    assert checking.text("a\0b\n\ud800") == f"a{no}b\n?"
    assert checking.line("a\0b\n\x1b[31m é \ud800", 64) == f"a{no}b{no}{no}[31m é {no}"
    assert checking.line("x" * 70, 64) == "x" * 60 + " ..."
    registration = pb.Registration(worker_id="a" * 32, name="w\0", slots=1, protocol=1)
    assert announcing.registration_from_proto(registration).name == f"w{no}"
    outcome = pb.Result(slot="w\0/slot-0", succeeded=pb.Succeeded(metrics={"loss": 1.0}))
    outcome.attempt.CopyFrom(pb.AttemptName(token=TOKEN, owner="e"))
    assert ends.result_to_finished(outcome)[1].worker == f"w{no}/slot-0"
