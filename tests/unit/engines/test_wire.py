from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from morphml.engines import (
    Assignment,
    Cancelled,
    Checkpointed,
    Failed,
    JobCall,
    Logged,
    Outcome,
    PausedAt,
    Reported,
    Stopped,
    Succeeded,
)
from morphml.engines.local import wire
from morphml.engines.local.frames import ProtocolError
from morphml.ids import ExperimentId, new_token
from morphml.scheduling.failures import FailureKind

TOKEN = new_token()


def over_the_wire(message: dict[str, object]) -> dict[str, object]:
    found = orjson.loads(orjson.dumps(message))
    assert isinstance(found, dict)
    return found


def test_assignment_arrives_exactly() -> None:
    assignment = Assignment(
        token=TOKEN,
        experiment=ExperimentId("e"),
        number=4,
        vector=(1, None, 0.1 + 0.2, 2**60),
        seed=9,
        from_epoch=1,
        to_epoch=3,
        reported_step=2,
        checkpoint=Path("a/b.pt"),
        checkpoint_at_end=True,
        device="cuda",
        job=JobCall(job="prepare", type="python", config={"a": [1, {"b": None}]}),
    )
    message = over_the_wire({"do": "run", **wire.assignment_to_json(assignment)})
    assert wire.assignment_from_json(message) == assignment


@pytest.mark.parametrize(
    "outcome",
    [
        Succeeded(metrics={"a": 0.1 + 0.2, "b": -1e300}),
        Succeeded(outputs={"rows": 3, "files": [{"a": None}]}),
        Stopped(metrics={}),
        PausedAt(step=3),
        Cancelled(),
        Failed(
            kind=FailureKind.OUT_OF_MEMORY,
            error_type="E",
            message="m",
            traceback="t",
            digest="d" * 32,
        ),
    ],
)
def test_outcome_arrives_exactly(outcome: Outcome) -> None:
    assert wire.outcome_from_json(over_the_wire(wire.outcome_to_json(outcome))) == outcome


def test_text_that_json_cannot_carry_is_replaced() -> None:
    odd = Failed(kind=FailureKind.CRASH, error_type="E", message="file \udcff")
    found = wire.outcome_from_json(over_the_wire(wire.outcome_to_json(odd)))
    assert isinstance(found, Failed)
    assert found.message == "file ?"


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"end": "won"},
        {"end": "succeeded"},
        {"end": "succeeded", "metrics": [1]},
        {"end": "succeeded", "metrics": {"a": None}},
        {"end": "succeeded", "metrics": {"a": "1"}},
        {"end": "paused", "step": -1},
        {"end": "paused", "step": True},
        {"end": "failed", "kind": "bad luck"},
        {"end": "failed", "kind": "crash", "error_type": 3},
    ],
)
def test_outcome_of_another_form_is_refused(message: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        wire.outcome_from_json(message)


def test_events_are_read_and_other_messages_are_none() -> None:
    read = [
        wire.event_from_json(TOKEN, message)
        for message in (
            {"is": "report", "step": 2, "metrics": {"a": 1}},
            {"is": "log", "text": "hello\n"},
            {"is": "saved", "step": 2, "path": "x.pt", "digest": "d"},
            {"is": "something"},
        )
    ]
    assert read == [
        Reported(token=TOKEN, step=2, metrics={"a": 1.0}),
        Logged(token=TOKEN, stream="log", text="hello\n"),
        Checkpointed(token=TOKEN, step=2, path=Path("x.pt"), digest="d"),
        None,
    ]
