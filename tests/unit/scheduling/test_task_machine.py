"""Every sequence of events keeps a task's invariants, and the irregular paths end as documented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from morphml.errors import IllegalTransition
from morphml.ids import AttemptToken, SessionId, TaskId
from morphml.scheduling.failures import Failure, FailureKind
from morphml.scheduling.retry import RetryRule
from morphml.scheduling.task import TRANSITIONS, Task, step
from morphml.scheduling.task_events import (
    FINAL_STATES,
    Acknowledge,
    Adopted,
    Cancel,
    Claimed,
    Conclude,
    Dispatch,
    Failed,
    Lost,
    Refuse,
    Requeue,
    Resumed,
    Returned,
    Started,
    StopAttempt,
    StorePause,
    StoreResult,
    Succeeded,
    TaskCommand,
    TaskEvent,
    TaskState,
    Yielded,
)

FIRST, SECOND = SessionId("first"), SessionId("second")
LIVE = {TaskState.LEASED, TaskState.RUNNING}


def token(number: int) -> AttemptToken:
    return AttemptToken(f"t{number}")


def fresh() -> Task:
    return Task(id=TaskId("a"))


def failure(kind: FailureKind, worker: str = "w0", at: float = 100.0) -> Failure:
    return Failure(kind=kind, worker=worker, at=at, digest="d")


@dataclass(frozen=True)
class World:
    """A task, and what an observer counts beside it."""

    task: Task
    attempts: int = 0
    stored: int = 0
    concluded: int = 0


#: Each makes an event from how many attempts there were, so that old tokens come back late.
EVENTS: dict[str, Callable[[int], TaskEvent]] = {
    "claim": lambda n: Claimed(token=token(n), holder=FIRST, worker=f"w{n}"),
    "start": lambda n: Started(token=token(n - 1)),
    "succeed": lambda n: Succeeded(token=token(n - 1)),
    "succeed late": lambda n: Succeeded(token=token(n - 2)),
    "fail": lambda n: Failed(token=token(n - 1), failure=failure(FailureKind.USER_ERROR)),
    "fail late": lambda n: Failed(token=token(n - 2), failure=failure(FailureKind.CRASH)),
    "break": lambda n: Failed(token=token(n - 1), failure=failure(FailureKind.INFRASTRUCTURE)),
    "return": lambda n: Returned(token=token(n - 1), at=5.0),
    "lose": lambda n: Lost(token=token(n - 1), holder=FIRST, at=5.0),
    "lose to second": lambda n: Lost(token=token(n - 1), holder=SECOND, at=5.0),
    "adopt": lambda n: Adopted(token=token(n - 1), holder=SECOND, worker=f"w{n - 1}"),
    "adopt late": lambda n: Adopted(token=token(n - 2), holder=SECOND, worker=f"w{n - 2}"),
    "yield": lambda n: Yielded(token=token(n - 1), step=3),
    "resume": lambda n: Resumed(at=6.0),
    "cancel": lambda n: Cancel(),
}
RULE = RetryRule(infrastructure_retries=2, innocent_retries=2)


def advance(world: World, name: str) -> World:
    """One event, with every invariant checked; an illegal one must leave no trace."""
    event = EVENTS[name](world.attempts)
    try:
        task, commands = step(world.task, event, RULE)
    except IllegalTransition as error:
        assert (world.task.state, type(event)) not in TRANSITIONS
        assert (error.subject, error.state, error.event) == ("task a", world.task.state, event)
        return world
    check_step(world.task, event, task, commands)
    return World(
        task,
        attempts=world.attempts + isinstance(event, Claimed),
        stored=world.stored + sum(isinstance(c, StoreResult) for c in commands),
        concluded=world.concluded + sum(isinstance(c, Conclude) for c in commands),
    )


def check_step(
    before: Task, event: TaskEvent, after: Task, commands: tuple[TaskCommand, ...]
) -> None:
    if after != before:
        assert after.state in TRANSITIONS[before.state, type(event)]
    assert (after.token is not None) == (after.state in LIVE)
    assert (after.worker is None) == (after.holder is None) == (after.token is None)
    assert after.lost is None or after.state is TaskState.PENDING
    assert (after.stored is not None) == (after.state is TaskState.SUCCEEDED)
    if before.state in FINAL_STATES:
        assert after == before
    if any(isinstance(c, Refuse | Acknowledge) for c in commands):
        assert after == before
    dispatched = [c for c in commands if isinstance(c, Dispatch)]
    assert not dispatched or (before.token is None and after.token == dispatched[0].token)
    requeued = any(isinstance(c, Requeue) for c in commands)
    assert requeued == (before.state is not TaskState.PENDING and after.state is TaskState.PENDING)


def check_world(world: World) -> None:
    assert world.stored == (world.task.state is TaskState.SUCCEEDED)
    ended_without = {TaskState.FAILED, TaskState.DEAD, TaskState.CANCELLED}
    assert world.concluded == (world.task.state in ended_without)
    assert len(world.task.failures) <= world.attempts


def test_every_world_within_twelve_events_stores_a_result_at_most_once_and_every_move_is_made() -> (
    None
):
    made: set[tuple[TaskState, type, TaskState]] = set()
    edge = seen = {World(fresh())}
    for _ in range(12):
        following = set()
        for world in edge:
            for name in EVENTS:
                after = advance(world, name)
                event = EVENTS[name](world.attempts)
                made.add((world.task.state, type(event), after.task.state))
                following.add(after)
        edge = following - seen
        seen = seen | edge
    for world in seen:
        check_world(world)
    assert len(seen) > 1_000
    assert {world.stored for world in seen} == {0, 1}
    listed = {(s, e, target) for (s, e), targets in TRANSITIONS.items() for target in targets}
    assert listed - made == set()


def run(task: Task, *events: TaskEvent) -> tuple[Task, list[TaskCommand]]:
    done: list[TaskCommand] = []
    for event in events:
        task, commands = step(task, event)
        done += commands
    return task, done


def running(number: int = 0, task: Task | None = None) -> Task:
    claimed = Claimed(token=token(number), holder=FIRST, worker=f"w{number}")
    return run(task or fresh(), claimed, Started(token=token(number)))[0]


def test_result_sent_twice_is_acknowledged_and_stored_once() -> None:
    task, commands = run(running(), Succeeded(token=token(0)), Succeeded(token=token(0)))
    assert commands == [StoreResult(token=token(0)), Acknowledge(token=token(0))]
    assert task.state is TaskState.SUCCEEDED


def test_result_of_a_lost_attempt_is_refused_once_another_runs() -> None:
    lost, _ = run(running(), Lost(token=token(0), holder=FIRST, at=9.0))
    second = running(1, lost)
    task, commands = run(second, Succeeded(token=token(0)))
    assert task == second
    assert commands == [Refuse(token=token(0))]


def test_worker_of_a_lost_attempt_takes_it_back_while_nobody_claimed_it() -> None:
    lost, _ = run(running(), Lost(token=token(0), holder=FIRST, at=9.0))
    assert [f.kind for f in lost.failures] == [FailureKind.LOST_WORKER]
    task, commands = run(
        lost, Adopted(token=token(0), holder=SECOND, worker="w0"), Succeeded(token=token(0))
    )
    assert commands == [StoreResult(token=token(0))]
    assert task.failures == ()


def test_taking_back_a_queued_attempt_forgives_no_older_loss() -> None:
    lost, _ = run(running(), Lost(token=token(0), holder=FIRST, at=9.0))
    queued, _ = run(lost, Claimed(token=token(1), holder=FIRST, worker="w1"))
    again, _ = run(
        queued,
        Lost(token=token(1), holder=FIRST, at=10.0),
        Adopted(token=token(1), holder=SECOND, worker="w1"),
    )
    assert [f.token for f in again.failures] == [token(0)]


def test_requeue_by_the_old_holder_changes_nothing_after_adoption() -> None:
    adopted, _ = run(running(), Adopted(token=token(0), holder=SECOND, worker="w0"))
    task, commands = run(adopted, Lost(token=token(0), holder=FIRST, at=9.0))
    assert (task, commands) == (adopted, [])


def test_queued_task_goes_back_without_an_attempt() -> None:
    queued, _ = run(fresh(), Claimed(token=token(0), holder=FIRST, worker="w0"))
    task, commands = run(queued, Returned(token=token(0), at=7.0))
    assert commands == [Requeue(ready_at=7.0)]
    assert task.failures == ()


def test_task_dies_after_three_retries_with_every_error_kept() -> None:
    task = fresh()
    waits = []
    for number in range(4):
        broken = Failed(token=token(number), failure=failure(FailureKind.INFRASTRUCTURE))
        task, commands = run(running(number, task), broken)
        waits += [c.ready_at - 100.0 for c in commands if isinstance(c, Requeue)]
    assert task.state is TaskState.DEAD
    assert commands == [Conclude(state=TaskState.DEAD)]
    assert len(task.failures) == 4
    assert waits[0] == 0.0
    assert 5.0 <= waits[1] < 5.5
    assert 10.0 <= waits[2] < 11.0


def test_cancel_of_a_running_task_stops_its_attempt_and_refuses_its_result() -> None:
    task, commands = run(running(), Cancel(), Succeeded(token=token(0)), Cancel())
    assert commands == [
        Conclude(state=TaskState.CANCELLED),
        StopAttempt(token=token(0), worker="w0"),
        Refuse(token=token(0)),
    ]
    assert task.state is TaskState.CANCELLED


def test_cancel_that_comes_after_the_result_changes_nothing() -> None:
    done, _ = run(running(), Succeeded(token=token(0)))
    assert run(done, Cancel()) == (done, [])


def test_paused_task_holds_no_slot_and_goes_on_with_another_attempt() -> None:
    paused, commands = run(running(), Yielded(token=token(0), step=3))
    assert commands == [StorePause(token=token(0), step=3)]
    assert (paused.worker, paused.token) == (None, None)
    resumed, _ = run(paused, Resumed(at=8.0))
    assert running(1, resumed).state is TaskState.RUNNING


def test_illegal_event_tells_the_story_and_leaves_the_task_alone() -> None:
    task, _ = run(running(), Lost(token=token(0), holder=FIRST, at=9.0))
    kept = replace(task)
    with pytest.raises(
        IllegalTransition, match=r"task a is pending .* lost_worker on w0"
    ) as caught:
        step(task, Resumed(at=1.0))
    assert caught.value.story == ("lost_worker on w0",)
    assert task == kept
