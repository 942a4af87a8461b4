"""Assignments and outcomes as JSON objects, and back with every field checked.

What a child sends is data of a process that ran user code: each field is checked for its type, and
whatever does not fit is a ``ProtocolError``.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any, assert_never

from morphml.engines.local.frames import ProtocolError
from morphml.engines.port import (
    Assignment,
    Cancelled,
    Checkpointed,
    EngineEvent,
    Failed,
    JobCall,
    Logged,
    Outcome,
    PausedAt,
    Place,
    Reported,
    Returned,
    Stopped,
    Succeeded,
)
from morphml.ids import AttemptToken, ExperimentId
from morphml.optimizers.events import JSON
from morphml.scheduling.failures import FailureKind


def assignment_to_json(assignment: Assignment) -> dict[str, Any]:
    """The assignment without what only the parent looks after (limits, workers to avoid)."""
    checkpoint = assignment.checkpoint
    return {
        "token": assignment.token,
        "experiment": assignment.experiment,
        "number": assignment.number,
        "vector": list(assignment.vector),
        "seed": assignment.seed,
        "from_epoch": assignment.from_epoch,
        "to_epoch": assignment.to_epoch,
        "max_epochs": assignment.max_epochs,
        "reported_step": assignment.reported_step,
        "checkpoint": None if checkpoint is None else str(checkpoint),
        "checkpoint_at_end": assignment.checkpoint_at_end,
        "repeats": assignment.repeats,
        "device": assignment.device,
        "place": asdict(assignment.place),
        "job": None if assignment.job is None else asdict(assignment.job),
    }


def assignment_from_json(message: dict[str, Any]) -> Assignment:
    """The assignment that the parent sent; trusted, since a child has one parent."""
    fields = {name: value for name, value in message.items() if name != "do"}
    fields["vector"] = tuple(fields["vector"])
    if fields["checkpoint"] is not None:
        fields["checkpoint"] = Path(fields["checkpoint"])
    fields["place"] = Place(**fields["place"])
    if fields["job"] is not None:
        fields["job"] = JobCall(**fields["job"])
    return Assignment(**fields)


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome with its name under ``end``."""
    match outcome:
        case Succeeded():
            return {
                "end": "succeeded",
                "metrics": dict(outcome.metrics),
                "outputs": dict(outcome.outputs),
            }
        case Stopped():
            return {"end": "stopped", "metrics": dict(outcome.metrics)}
        case PausedAt():
            return {"end": "paused", "step": outcome.step, "metrics": dict(outcome.metrics)}
        case Cancelled():
            return {"end": "cancelled"}
        case Returned():
            raise AssertionError("only who hands tasks out may hand one back")
        case Failed():
            return {
                "end": "failed",
                "kind": outcome.kind.value,
                "error_type": _clean(outcome.error_type),
                "message": _clean(outcome.message),
                "traceback": _clean(outcome.traceback),
                "digest": outcome.digest,
                "alone": outcome.alone,
                "gpus": outcome.gpus,
            }
        case _:
            assert_never(outcome)


def outcome_from_json(message: dict[str, Any]) -> Outcome:
    """The outcome that a child sent.

    Raises:
        ProtocolError: when a field is missing or of another type.
    """
    match message.get("end"):
        case "succeeded":
            return Succeeded(metrics=_metrics(message), outputs=_outputs(message))
        case "stopped":
            return Stopped(metrics=_metrics(message))
        case "paused":
            return PausedAt(step=_whole(message, "step"), metrics=_metrics(message))
        case "cancelled":
            return Cancelled()
        case "failed":
            return Failed(
                kind=_kind(message),
                error_type=text(message, "error_type"),
                message=text(message, "message"),
                traceback=text(message, "traceback"),
                digest=text(message, "digest"),
                alone=message.get("alone") is True,
                gpus=str(message.get("gpus", "")),
            )
        case other:
            raise ProtocolError(f"a child ended an attempt in an unknown way: {other!r}")


def event_from_json(token: AttemptToken, message: dict[str, Any]) -> EngineEvent | None:
    """The event that a child's message is, or None when it is of another kind.

    Raises:
        ProtocolError: when a field is missing or of another type.
    """
    match message.get("is"):
        case "report":
            return Reported(token=token, step=_whole(message, "step"), metrics=_metrics(message))
        case "log":
            return Logged(token=token, stream="log", text=text(message, "text"))
        case "saved":
            return Checkpointed(
                token=token,
                step=_whole(message, "step"),
                path=Path(text(message, "path")),
                digest=text(message, "digest"),
            )
        case _:
            return None


def experiment_of(message: dict[str, Any]) -> ExperimentId:
    """The experiment that a message names."""
    return ExperimentId(text(message, "experiment"))


def text(message: dict[str, Any], name: str) -> str:
    """A text field.

    Raises:
        ProtocolError: when it is missing or no text.
    """
    value = message.get(name)
    if not isinstance(value, str):
        raise ProtocolError(f"a child's message has {name}={value!r}, expected a text")
    return value


def number(message: dict[str, Any], name: str) -> float:
    """A finite number.

    Raises:
        ProtocolError: when it is missing or no number.
    """
    value = message.get(name)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ProtocolError(f"a child's message has {name}={value!r}, expected a number")
    return float(value)


def _whole(message: dict[str, Any], name: str) -> int:
    value = message.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ProtocolError(f"a child's message has {name}={value!r}, expected a whole number")
    return value


def _metrics(message: dict[str, Any]) -> dict[str, float]:
    metrics = message.get("metrics")
    if not isinstance(metrics, dict):
        raise ProtocolError(f"a child's message has metrics={metrics!r}, expected an object")
    return {name: number(metrics, name) for name in metrics}


def _outputs(message: dict[str, Any]) -> dict[str, JSON]:
    """Checked for their form only: they come from the code that makes them."""
    outputs = message.get("outputs")
    if not isinstance(outputs, dict):
        raise ProtocolError(f"a child's message has outputs={outputs!r}, expected an object")
    return outputs


def _kind(message: dict[str, Any]) -> FailureKind:
    try:
        return FailureKind(text(message, "kind"))
    except ValueError:
        raise ProtocolError(f"a child failed in an unknown way: {message['kind']!r}") from None


def _clean(value: str) -> str:
    """A text that JSON can carry: lone surrogates (undecodable file names) are replaced."""
    return value.encode("utf-8", "replace").decode("utf-8")
