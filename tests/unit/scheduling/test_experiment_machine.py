from __future__ import annotations

from itertools import product

import pytest

from morphml.errors import IllegalTransition
from morphml.ids import ExperimentId
from morphml.scheduling.experiment import (
    TRANSITIONS,
    Drive,
    ExperimentEvent,
    ExperimentLife,
    ExperimentState,
    Extend,
    Fail,
    Finish,
    Pause,
    Resume,
    Start,
    StopAsking,
    StoreEnd,
    Submit,
    step,
)


def fresh() -> ExperimentLife:
    return ExperimentLife(id=ExperimentId("e"))


def test_pause_stops_asking_and_resume_drives_on() -> None:
    running, commands = step(fresh(), Start())
    assert commands == (Drive(),)
    paused, commands = step(running, Pause(reason="interrupted"))
    stored = StoreEnd(state=ExperimentState.PAUSED, reason="interrupted")
    assert commands == (StopAsking(), stored)
    resumed, commands = step(paused, Resume())
    assert (resumed.state, resumed.reason, commands) == (ExperimentState.RUNNING, "", (Drive(),))


def test_completed_experiment_goes_on_with_a_larger_budget_only() -> None:
    done = step(step(fresh(), Start())[0], Finish(reason="budget of trials spent"))[0]
    with pytest.raises(IllegalTransition, match="experiment e is completed"):
        step(done, Resume())
    assert step(done, Extend())[0].state is ExperimentState.RUNNING


def test_submitted_experiment_waits_for_whichever_master_has_room() -> None:
    queued, commands = step(fresh(), Submit())
    assert (queued.state, commands) == (ExperimentState.QUEUED, ())
    running = step(queued, Start())[0]
    with pytest.raises(IllegalTransition, match="experiment e is running"):
        step(running, Submit())
    failed = step(running, Fail(reason="no such data set"))[0]
    again = step(failed, Submit())[0]
    assert (again.state, again.reason) == (ExperimentState.QUEUED, "")


def test_every_sequence_drives_exactly_when_it_begins_to_run() -> None:
    alphabet: list[ExperimentEvent] = [
        Start(),
        Submit(),
        Pause(reason="p"),
        Resume(),
        Finish(reason="f"),
        Fail(reason="x"),
        Extend(),
    ]
    reached, found = set(), {fresh()}
    for _ in range(8):
        for life, event in product(tuple(found), alphabet):
            try:
                after, commands = step(life, event)
            except IllegalTransition:
                assert (life.state, type(event)) not in TRANSITIONS
                continue
            assert after.state in TRANSITIONS[life.state, type(event)]
            began = life.state is not after.state is ExperimentState.RUNNING
            assert (Drive() in commands) == began
            ended = after.state is not life.state is ExperimentState.RUNNING
            assert (StopAsking() in commands) >= ended
            assert bool(after.reason) == (after.state in ("paused", "completed", "failed"))
            reached.add((life.state, type(event), after.state))
            found.add(after)
    listed = {(s, e, target) for (s, e), targets in TRANSITIONS.items() for target in targets}
    assert reached == listed
