from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from morphml.errors import IllegalTransition
from morphml.ids import AttemptToken
from morphml.scheduling.worker import (
    TRANSITIONS,
    Announced,
    Assigned,
    ClockTicked,
    Dismiss,
    Drain,
    GiveUpAttempts,
    Heard,
    Left,
    Released,
    StreamBroke,
    Suspend,
    Worker,
    WorkerCommand,
    WorkerEvent,
    WorkerState,
    step,
)

A, B = AttemptToken("a"), AttemptToken("b")


def run(worker: Worker, *events: WorkerEvent) -> tuple[Worker, list[WorkerCommand]]:
    done: list[WorkerCommand] = []
    for event in events:
        worker, commands = step(worker, event)
        done += commands
    return worker, done


def here(slots: int = 2, *attempts: AttemptToken) -> Worker:
    joined = Announced(slots=slots, attempts=attempts, at=0.0)
    return run(Worker(id="w", heard_at=0.0), joined)[0]


def test_slots_are_free_until_attempts_fill_them() -> None:
    worker = here(2)
    assert (worker.state, worker.free_slots) == (WorkerState.IDLE, 2)
    worker, _ = run(worker, Assigned(token=A))
    assert (worker.state, worker.free_slots) == (WorkerState.BUSY, 1)
    worker, _ = run(worker, Assigned(token=B), Released(token=A), Released(token=B))
    assert (worker.state, worker.free_slots) == (WorkerState.IDLE, 2)


def test_broken_stream_suspends_at_once_and_is_lost_after_three_seconds() -> None:
    suspect, commands = run(run(here(2, A), Heard(at=9.9))[0], StreamBroke(at=10.0))
    assert (suspect.state, suspect.free_slots, commands) == (WorkerState.SUSPECT, 0, [Suspend()])
    assert run(suspect, Heard(at=11.0))[0].state is WorkerState.SUSPECT
    assert run(suspect, ClockTicked(at=12.9))[1] == []
    lost, commands = run(suspect, ClockTicked(at=13.0))
    assert (lost.state, commands) == (WorkerState.LOST, [GiveUpAttempts(tokens=(A,))])


def test_worker_that_announces_itself_in_time_keeps_its_attempts() -> None:
    back, commands = run(
        here(2, A), StreamBroke(at=10.0), Announced(slots=2, attempts=(A,), at=12.0)
    )
    assert (back.state, back.attempts, commands) == (WorkerState.BUSY, {A}, [Suspend()])
    assert run(back, ClockTicked(at=16.0))[0].state is WorkerState.BUSY


def test_attempt_that_the_worker_does_not_name_any_more_is_given_up() -> None:
    _, commands = run(here(2, A, B), Announced(slots=2, attempts=(B,), at=1.0))
    assert commands == [GiveUpAttempts(tokens=(A,))]


def test_silence_makes_suspect_then_lost_and_a_beat_clears_it_before() -> None:
    suspect, _ = run(here(2, A), ClockTicked(at=5.0))
    assert suspect.state is WorkerState.SUSPECT
    assert run(suspect, Heard(at=6.0))[0].state is WorkerState.BUSY
    lost, commands = run(suspect, ClockTicked(at=12.0))
    assert (lost.state, commands) == (WorkerState.LOST, [GiveUpAttempts(tokens=(A,))])


def test_draining_worker_takes_nothing_and_leaves_when_done() -> None:
    draining, commands = run(here(2, A), Drain())
    assert (draining.state, draining.free_slots, commands) == (WorkerState.DRAINING, 0, [])
    gone, commands = run(draining, Released(token=A))
    assert (gone.state, commands) == (WorkerState.GONE, [Dismiss()])


def test_drain_of_a_suspect_worker_is_remembered_for_its_return() -> None:
    worker, _ = run(here(2, A), StreamBroke(at=1.0), Drain())
    back, commands = run(worker, Announced(slots=2, attempts=(), at=2.0))
    assert back.state is WorkerState.GONE
    assert commands == [GiveUpAttempts(tokens=(A,)), Dismiss()]


EVENTS = st.one_of(
    st.builds(
        Announced,
        slots=st.integers(1, 2),
        attempts=st.lists(st.sampled_from([A, B]), unique=True).map(tuple),
        at=st.just(0.0),
    ),
    st.builds(Assigned, token=st.sampled_from([A, B])),
    st.builds(Released, token=st.sampled_from([A, B])),
    st.just(Drain()),
    st.just(Left()),
)
TIMED = st.sampled_from([Heard, StreamBroke, ClockTicked])


@given(st.lists(st.one_of(EVENTS, st.tuples(TIMED, st.sampled_from([0.5, 2.0, 6.0, 13.0])))))
def test_any_sequence_follows_the_table_and_loses_no_attempt_in_silence(
    sequence: list[WorkerEvent | tuple[type, float]],
) -> None:
    worker, now = Worker(id="w", heard_at=0.0), 0.0
    for item in sequence:
        if isinstance(item, tuple):
            kind, wait = item
            now += wait
            event: WorkerEvent = kind(at=now)
        else:
            event = item
        try:
            after, commands = step(worker, event)
        except IllegalTransition:
            assert (worker.state, type(event)) not in TRANSITIONS
            continue
        assert after.state in TRANSITIONS[worker.state, type(event)]
        given_up = {t for c in commands if isinstance(c, GiveUpAttempts) for t in c.tokens}
        released = {event.token} if isinstance(event, Released) else set()
        assert worker.attempts - after.attempts == given_up | (released & worker.attempts)
        assert 0 <= after.free_slots <= after.slots
        if after.state in (WorkerState.IDLE, WorkerState.LOST, WorkerState.GONE):
            assert not after.attempts
        worker = after
