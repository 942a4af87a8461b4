"""Answers that are rendered once while what they show stays the same."""

from __future__ import annotations

from dataclasses import replace

from morphml.master.workflows import ExecutionView
from morphml.server.rest.rendered import FRESH_S, MOST, Rendered
from morphml.testing.clock import FakeClock
from morphml.workflow import ExecutionState, JobState

SEEN = ExecutionView(
    id="x1",
    workflow_id="w",
    name="w",
    state=ExecutionState.RUNNING,
    reason="",
    parallelism=None,
    created_at=1.0,
    ended_at=None,
    counts={JobState.ACTIVE: 1},
    seq=1,
)


def test_answer_serves_until_something_happens_or_half_a_second_is_over() -> None:
    clock = FakeClock()
    rendered, made = Rendered(clock), []

    def render() -> bytes:
        made.append(1)
        return b"%d" % len(made)

    assert [rendered.of(SEEN, render) for _ in range(3)] == [b"1"] * 3
    assert rendered.of(replace(SEEN, seq=2), render) == b"2"
    assert rendered.of(replace(SEEN, seq=2, state=ExecutionState.PAUSED), render) == b"3"
    assert rendered.of(SEEN, render) == b"4"
    clock.advance(FRESH_S)
    assert rendered.of(SEEN, render) == b"5"


def test_answers_of_few_executions_are_kept() -> None:
    rendered = Rendered(FakeClock())
    for number in range(MOST + 1):
        rendered.of(replace(SEEN, id=f"x{number}"), lambda: b"old")
    assert rendered.of(replace(SEEN, id="x0"), lambda: b"new") == b"new"
    assert rendered.of(replace(SEEN, id=f"x{MOST}"), lambda: b"new") == b"old"
