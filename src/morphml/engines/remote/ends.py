"""Ends of attempts as messages of the protocol, and back with every field checked.

What came over the network is data of a process that may lie: whatever does not fit is a
``ProtocolError``.
"""

from __future__ import annotations

from typing import assert_never

from morphml.engines.port import (
    Cancelled,
    Failed,
    Finished,
    Outcome,
    PausedAt,
    Returned,
    Stopped,
    Succeeded,
)
from morphml.engines.remote import checking
from morphml.engines.remote.checking import ProtocolError
from morphml.engines.remote.job_calls import outputs_from_proto, outputs_to_proto
from morphml.engines.remote.messages import AttemptName
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.wire import attempt_from_proto, attempt_to_proto
from morphml.scheduling.failures import FailureKind

#: The largest result that is sent, in bytes; a larger one becomes a failure that says so.
RESULT_LIMIT = 1 << 20


def outcome_to_result(attempt: AttemptName, finished: Finished) -> pb.Result:
    """The end of an attempt as a result. Too large a one becomes a failure that says so.

    Raises:
        ValueError: for ``Returned``, which has a message of its own.
    """
    result = pb.Result(
        attempt=attempt_to_proto(attempt),
        slot=checking.line(finished.worker, 256),
        started_at=finished.started_at,
        duration_s=finished.duration_s,
    )
    _write_outcome(result, finished.outcome)
    if (size := result.ByteSize()) > RESULT_LIMIT:
        _write_outcome(result, _too_large(size))
    return result


def failed_instead(result: bytes, failed: Failed) -> bytes:
    """A result as it was sent, with a failure in the place of its outcome."""
    message = pb.Result.FromString(result)
    _write_outcome(message, failed)
    return message.SerializeToString()


def _write_outcome(result: pb.Result, outcome: Outcome) -> None:
    match outcome:
        case Succeeded():
            outputs = outputs_to_proto(outcome.outputs)
            result.succeeded.CopyFrom(pb.Succeeded(metrics=dict(outcome.metrics), outputs=outputs))
        case Stopped():
            result.stopped.CopyFrom(pb.Stopped(metrics=dict(outcome.metrics)))
        case PausedAt():
            result.paused.CopyFrom(pb.Paused(step=outcome.step, metrics=dict(outcome.metrics)))
        case Cancelled():
            result.cancelled.CopyFrom(pb.Cancelled())
        case Failed():
            failed = pb.Failed(
                kind=outcome.kind.value,
                error_type=checking.line(outcome.error_type, 256),
                message=checking.text(outcome.message),
                traceback=checking.text(outcome.traceback),
                digest=outcome.digest,
                gpus=checking.line(outcome.gpus, 1024),
            )
            result.failed.CopyFrom(failed)
        case Returned():
            raise ValueError("a task that never began is given back with Returned, not a Result")
        case _:
            assert_never(outcome)


def _too_large(size: int) -> Failed:
    return Failed(
        kind=FailureKind.USER_ERROR,
        error_type="ResultTooLarge",
        message=f"the result takes {size} bytes, more than the {RESULT_LIMIT} that are sent; "
        "return fewer metrics",
    )


def result_to_finished(result: pb.Result) -> tuple[AttemptName, Finished]:
    """The attempt that ended, and how.

    Raises:
        ProtocolError: when a field has another form, or no outcome is there.
    """
    name = attempt_from_proto(result.attempt)
    finished = Finished(
        token=name.token,
        outcome=_outcome(result),
        worker=checking.line(result.slot, 256),
        started_at=checking.finite(result.started_at, "started_at"),
        duration_s=checking.finite(result.duration_s, "duration_s", least=0.0),
    )
    return name, finished


def _outcome(result: pb.Result) -> Outcome:
    match result.WhichOneof("outcome"):
        case "succeeded":
            return Succeeded(
                metrics=checking.numbers(result.succeeded.metrics, "metrics"),
                outputs=outputs_from_proto(result.succeeded.outputs),
            )
        case "stopped":
            return Stopped(metrics=checking.numbers(result.stopped.metrics, "metrics"))
        case "paused":
            return PausedAt(
                step=checking.whole(result.paused.step, "step", 0, 2**62),
                metrics=checking.numbers(result.paused.metrics, "metrics"),
            )
        case "cancelled":
            return Cancelled()
        case "failed":
            return _failed(result.failed)
        case _:
            raise ProtocolError("a result without an outcome")


def _failed(message: pb.Failed) -> Failed:
    try:
        kind = FailureKind(message.kind)
    except ValueError:
        raise ProtocolError(f"kind={message.kind[:64]!r} is no kind of failure") from None
    return Failed(
        kind=kind,
        error_type=checking.line(message.error_type, 256),
        message=checking.text(message.message),
        traceback=checking.text(message.traceback),
        digest=checking.line(message.digest, 128),
        gpus=checking.line(message.gpus, 1024),
    )
