"""Values of the engine port as messages of the protocol, and back with every field checked.

What came over the network is data of a process that may lie: whatever does not fit is a
``ProtocolError``. Nothing here is ever unpickled.
"""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

import orjson

from morphml.engines.port import (
    Assignment,
    Checkpointed,
    EngineEvent,
    Finished,
    Logged,
    Order,
    Reported,
    Started,
    WorkerGone,
)
from morphml.engines.remote import checking
from morphml.engines.remote.checking import ProtocolError
from morphml.engines.remote.job_calls import job_of, job_to_proto
from morphml.engines.remote.meeting import place_of, place_to_proto
from morphml.engines.remote.messages import AttemptName, CheckpointFile, ContextMessage
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.ids import AttemptToken

__all__ = [
    "ProtocolError",
    "assignment_to_task",
    "attempt_from_proto",
    "attempt_to_proto",
    "checkpoint_from_proto",
    "checkpoint_to_proto",
    "context_from_proto",
    "context_to_proto",
    "event_from_proto",
    "event_to_proto",
    "order_from_proto",
    "task_to_assignment",
]

_STREAMS = ("stdout", "stderr", "log")
_LOG_LIMIT = 1 << 20  # characters of one message
_MOST_REPEATS = 1_000_000
_MOST_AVOIDED = 64  # slots to avoid that are told


# --- names ---------------------------------------------------------------------------------------


def attempt_to_proto(attempt: AttemptName) -> pb.AttemptName:
    """The name as a message."""
    return pb.AttemptName(
        token=attempt.token, owner=attempt.owner, number=attempt.number, segment=attempt.segment
    )


def attempt_from_proto(message: pb.AttemptName) -> AttemptName:
    """The name that a message carries.

    Raises:
        ProtocolError: when a field has another form.
    """
    return AttemptName(
        token=checking.token(message.token),
        owner=checking.experiment(message.owner),
        number=checking.whole(message.number, "number", 0, 2**62),
        segment=message.segment,
    )


def checkpoint_to_proto(token: AttemptToken, checkpoint: CheckpointFile) -> pb.Saved:
    """A checkpoint as the message that names it."""
    return pb.Saved(
        token=token, step=checkpoint.step, digest=checkpoint.digest, size=checkpoint.size
    )


def checkpoint_from_proto(message: pb.Saved) -> CheckpointFile:
    """The checkpoint that a message names.

    Raises:
        ProtocolError: when a field has another form.
    """
    digest = str(checking.token(message.digest)) if message.digest else ""
    step = checking.whole(message.step, "step", 0, 2**62)
    return CheckpointFile(step=step, digest=digest, size=message.size)


# --- tasks ---------------------------------------------------------------------------------------


def assignment_to_task(assignment: Assignment, checkpoint: CheckpointFile | None = None) -> pb.Task:
    """The assignment as a task.

    Args:
        assignment: what is to be run; its path of a checkpoint means nothing elsewhere.
        checkpoint: what identifies that checkpoint, where there is one.
    """
    reported = assignment.reported_step
    saved = None if checkpoint is None else checkpoint_to_proto(assignment.token, checkpoint)
    return pb.Task(
        attempt=pb.AttemptName(
            token=assignment.token,
            owner=assignment.experiment,
            number=assignment.number,
            segment=assignment.segment,
        ),
        vector=orjson.dumps(assignment.vector),
        seed=assignment.seed,
        from_epoch=assignment.from_epoch,
        to_epoch=assignment.to_epoch,
        max_epochs=assignment.max_epochs,
        reported=0 if reported is None else reported + 1,
        checkpoint=saved,
        checkpoint_at_end=assignment.checkpoint_at_end,
        repeats=assignment.repeats,
        time_limit_s=assignment.time_limit_s or 0.0,
        memory_limit_bytes=assignment.memory_limit_bytes or 0,
        requirements=dict(assignment.requirements),
        device=assignment.device,
        place=place_to_proto(assignment.place),
        job=job_to_proto(assignment.job),
        avoid=assignment.avoid[:_MOST_AVOIDED],
    )


def task_to_assignment(task: pb.Task, checkpoint: Path | None = None) -> Assignment:
    """The assignment that a task is.

    Args:
        task: as it arrived; ``checkpoint_from_proto(task.checkpoint)`` says what to download first.
        checkpoint: where that checkpoint lies now.

    Raises:
        ProtocolError: when a field has another form.
    """
    name = attempt_from_proto(task.attempt)
    return Assignment(
        token=name.token,
        experiment=name.owner,
        number=name.number,
        segment=name.segment,
        vector=_vector(task.vector),
        seed=task.seed,
        from_epoch=task.from_epoch,
        to_epoch=task.to_epoch,
        max_epochs=task.max_epochs,
        reported_step=task.reported - 1 if task.reported else None,
        checkpoint=checkpoint,
        checkpoint_at_end=task.checkpoint_at_end,
        repeats=checking.whole(task.repeats, "repeats", 1, _MOST_REPEATS),
        time_limit_s=checking.finite(task.time_limit_s, "time_limit_s", least=0.0) or None,
        memory_limit_bytes=task.memory_limit_bytes or None,
        device=checking.line(task.device, 64),
        requirements=checking.numbers(task.requirements, "requirements", least=0.0),
        place=place_of(task),
        job=job_of(task),
        avoid=tuple(checking.line(each, 256) for each in task.avoid[:_MOST_AVOIDED]),
    )


def _vector(data: bytes) -> tuple[int | float | None, ...]:
    try:
        codes = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ProtocolError(f"a task's vector is no JSON: {error}") from None
    if not isinstance(codes, list) or not all(code is None or _is_code(code) for code in codes):
        raise ProtocolError("a task's vector is no JSON array of numbers and nulls")
    return tuple(codes)


def _is_code(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def context_to_proto(context: ContextMessage) -> pb.Context:
    """The context as a message."""
    return pb.Context(
        experiment=context.experiment,
        space=context.space,
        evaluator=context.evaluator,
        bundle=context.bundle,
        pickle=context.pickle,
        required=context.required,
        settings=context.settings,
        digest=context.digest,
    )


def context_from_proto(message: pb.Context) -> ContextMessage:
    """The context that a message carries; ``pickle`` is not looked at.

    Raises:
        ProtocolError: when a field has another form.
    """
    try:
        settings = orjson.loads(message.settings or b"{}")
    except orjson.JSONDecodeError as error:
        raise ProtocolError(f"a context's settings are no JSON: {error}") from None
    if not isinstance(settings, dict):
        raise ProtocolError("a context's settings are no JSON object")
    return ContextMessage(
        experiment=checking.experiment(message.experiment),
        space=message.space,
        evaluator=message.evaluator,
        bundle=checking.identifier(message.bundle, "bundle") if message.bundle else "",
        pickle=message.pickle,
        required=tuple(message.required),
        settings=message.settings or b"{}",
        digest=message.digest,
    )


def order_from_proto(message: pb.Order) -> tuple[AttemptToken, Order]:
    """The attempt and what it is to do.

    Raises:
        ProtocolError: when a field has another form.
    """
    try:
        return checking.token(message.token), Order(message.order)
    except ValueError:
        raise ProtocolError(f"order={message.order[:64]!r} is none of {list(Order)}") from None


# --- events --------------------------------------------------------------------------------------


def event_to_proto(event: EngineEvent) -> pb.WorkerEvent | None:
    """What a worker tells of a running attempt; None for what is told in another way.

    An end needs the attempt's whole name (``ends``), a checkpoint its size
    (``checkpoint_to_proto``), and the end of a child process is the worker's own affair.
    """
    match event:
        case Started():
            return pb.WorkerEvent(
                started=pb.Started(token=event.token, slot=event.worker, at=event.at)
            )
        case Reported():
            report = pb.Report(token=event.token, step=event.step, metrics=dict(event.metrics))
            return pb.WorkerEvent(report=report)
        case Logged():
            log = pb.Log(
                token=event.token, stream=event.stream, text=checking.text(event.text, _LOG_LIMIT)
            )
            return pb.WorkerEvent(log=log)
        case Checkpointed() | Finished() | WorkerGone():
            return None
        case _:
            assert_never(event)


def event_from_proto(message: pb.WorkerEvent) -> Started | Reported | Logged | None:
    """The event that a worker's message is; None where it is of another kind.

    Raises:
        ProtocolError: when a field has another form.
    """
    match message.WhichOneof("event"):
        case "started":
            started = message.started
            at = checking.finite(started.at, "at")
            slot = checking.line(started.slot, 256)
            return Started(token=checking.token(started.token), worker=slot, at=at)
        case "report":
            report = message.report
            step = checking.whole(report.step, "step", 0, 2**62)
            metrics = checking.numbers(report.metrics, "metrics")
            return Reported(token=checking.token(report.token), step=step, metrics=metrics)
        case "log":
            log = message.log
            if log.stream not in _STREAMS:
                raise ProtocolError(f"stream={log.stream[:64]!r} is none of {_STREAMS}")
            return Logged(token=checking.token(log.token), stream=log.stream, text=log.text)
        case _:
            return None
