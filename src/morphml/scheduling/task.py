"""The life of a task: who may run it, what becomes of each attempt, when it ends.

All transitions live in this file, in one table; ``docs/states.md`` is drawn from it. An event that
carries the token of an attempt that is not the live one never moves the task: it is answered
``Acknowledge`` (its result is stored already) or ``Refuse``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from morphml.ids import AttemptToken, SessionId, TaskId
from morphml.scheduling.failures import Failure, FailureKind
from morphml.scheduling.retry import GiveUp, Retry, RetryRule, decide_retry, workers_to_avoid
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
from morphml.scheduling.transitions import Table, check_known

_S = TaskState

TRANSITIONS: Table[TaskState] = {
    (_S.PENDING, Claimed): (_S.LEASED,),
    # The worker of the attempt given up last takes it back before anybody claims the task.
    (_S.PENDING, Adopted): (_S.RUNNING,),
    (_S.PENDING, Cancel): (_S.CANCELLED,),
    (_S.LEASED, Started): (_S.RUNNING,),
    (_S.LEASED, Adopted): (_S.LEASED,),
    (_S.LEASED, Returned): (_S.PENDING,),
    (_S.LEASED, Lost): (_S.PENDING,),
    # ``Started`` may be lost on the way, so what follows it is taken from a leased task as well.
    (_S.LEASED, Succeeded): (_S.SUCCEEDED,),
    (_S.LEASED, Failed): (_S.PENDING, _S.FAILED, _S.DEAD),
    (_S.LEASED, Yielded): (_S.PAUSED,),
    (_S.LEASED, Cancel): (_S.CANCELLED,),
    (_S.RUNNING, Started): (_S.RUNNING,),
    (_S.RUNNING, Adopted): (_S.RUNNING,),
    (_S.RUNNING, Returned): (_S.PENDING,),
    (_S.RUNNING, Lost): (_S.PENDING, _S.DEAD),
    (_S.RUNNING, Succeeded): (_S.SUCCEEDED,),
    (_S.RUNNING, Failed): (_S.PENDING, _S.FAILED, _S.DEAD),
    (_S.RUNNING, Yielded): (_S.PAUSED,),
    (_S.RUNNING, Cancel): (_S.CANCELLED,),
    (_S.PAUSED, Resumed): (_S.PENDING,),
    (_S.PAUSED, Cancel): (_S.CANCELLED,),
    # First come: a cancel that finds the task ended changes nothing.
    (_S.SUCCEEDED, Cancel): (_S.SUCCEEDED,),
    (_S.FAILED, Cancel): (_S.FAILED,),
    (_S.CANCELLED, Cancel): (_S.CANCELLED,),
    (_S.DEAD, Cancel): (_S.DEAD,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task between two events."""

    id: TaskId
    state: TaskState = TaskState.PENDING
    #: Seconds since the Unix epoch before which it is not claimed.
    ready_at: float = 0.0
    #: Secret of the live attempt; set exactly while leased or running.
    token: AttemptToken | None = None
    #: Worker of the live attempt.
    worker: str | None = None
    #: Session of the master that vouches for the live attempt.
    holder: SessionId | None = None
    #: The attempt that was given up last and may be taken back while the task is pending.
    lost: AttemptToken | None = None
    #: The attempt whose result is stored.
    stored: AttemptToken | None = None
    #: Every failed attempt, oldest first.
    failures: tuple[Failure, ...] = ()
    #: Root of the retry jitter.
    seed: int = 0


#: The task after an event, and what is to be done.
Step: TypeAlias = tuple[Task, tuple[TaskCommand, ...]]

_NO_RULE = RetryRule()


def step(task: Task, event: TaskEvent, rule: RetryRule = _NO_RULE) -> Step:
    """The task after ``event``, and the commands that follow from it.

    Raises:
        IllegalTransition: the table does not know the event in this state.
    """
    answer = _answer_stale(task, event)
    if answer is not None:
        return task, answer
    story = tuple(f"{failure.kind} on {failure.worker}" for failure in task.failures)
    check_known(TRANSITIONS, f"task {task.id}", task.state, event, story)
    return _carry_out(task, event, rule)


def _answer_stale(task: Task, event: TaskEvent) -> tuple[TaskCommand, ...] | None:
    """The answer to an attempt that is not the live one; None when the event is to be judged."""
    if isinstance(event, Claimed | Resumed | Cancel):
        return None
    token = event.token
    if token == task.token:
        overtaken = isinstance(event, Lost) and event.holder != task.holder
        return () if overtaken else None
    if isinstance(event, Lost):
        return ()
    if isinstance(event, Adopted) and task.state is TaskState.PENDING and token == task.lost:
        return None
    return (Acknowledge(token=token),) if token == task.stored else (Refuse(token=token),)


def _carry_out(task: Task, event: TaskEvent, rule: RetryRule) -> Step:
    match event:
        case Claimed():
            return _claim(task, event)
        case Started():
            return replace(task, state=TaskState.RUNNING), ()
        case Succeeded():
            done = _free(task, TaskState.SUCCEEDED, stored=event.token)
            return done, (StoreResult(token=event.token),)
        case Failed():
            decision = decide_retry(
                (*task.failures, event.failure),
                rule,
                seed=task.seed,
                seen_on=event.seen_on,
                elsewhere=event.elsewhere,
            )
            return _fail(task, event.failure, decision)
        case Returned():
            return _requeue(task, event.at)
        case Lost():
            return _lose(task, event, rule)
        case Adopted():
            return _adopt(task, event)
        case Yielded():
            paused = _free(task, TaskState.PAUSED)
            return paused, (StorePause(token=event.token, step=event.step),)
        case Resumed():
            return _requeue(task, event.at)
        case Cancel():
            return _cancel(task)
        case _:
            assert_never(event)


def _claim(task: Task, event: Claimed) -> Step:
    leased = replace(
        task,
        state=TaskState.LEASED,
        token=event.token,
        worker=event.worker,
        holder=event.holder,
        lost=None,
    )
    return leased, (Dispatch(token=event.token, worker=event.worker),)


def _free(task: Task, state: TaskState, *, stored: AttemptToken | None = None) -> Task:
    """The task without a live attempt."""
    return replace(
        task, state=state, token=None, worker=None, holder=None, lost=None, stored=stored
    )


def _fail(task: Task, failure: Failure, decision: Retry | GiveUp) -> Step:
    failures = (*task.failures, failure)
    match decision:
        case Retry():
            ready_at = failure.at + decision.delay_s
            pending = replace(_free(task, TaskState.PENDING), ready_at=ready_at, failures=failures)
            return pending, (Requeue(ready_at=ready_at, avoid=decision.avoid),)
        case GiveUp():
            state = TaskState(decision.state)
            return replace(_free(task, state), failures=failures), (Conclude(state=state),)
        case _:
            assert_never(decision)


def _requeue(task: Task, at: float) -> Step:
    """Back among the pending without blame."""
    pending = replace(_free(task, TaskState.PENDING), ready_at=at)
    return pending, (Requeue(ready_at=at, avoid=workers_to_avoid(task.failures)),)


def _lose(task: Task, event: Lost, rule: RetryRule) -> Step:
    if task.state is TaskState.LEASED:
        after, commands = _requeue(task, event.at)
    else:
        failure = Failure(
            kind=FailureKind.LOST_WORKER,
            worker=task.worker or "",
            at=event.at,
            message="the lease ran out",
            token=event.token,
        )
        decision = decide_retry((*task.failures, failure), rule, seed=task.seed)
        after, commands = _fail(task, failure, decision)
    if after.state is TaskState.PENDING:
        after = replace(after, lost=event.token)
    return after, commands


def _adopt(task: Task, event: Adopted) -> Step:
    if task.state is not TaskState.PENDING:
        return replace(task, holder=event.holder, worker=event.worker), ()
    failures = task.failures
    if failures and failures[-1].token == event.token:
        failures = failures[:-1]
    taken_back = replace(
        task,
        state=TaskState.RUNNING,
        token=event.token,
        worker=event.worker,
        holder=event.holder,
        lost=None,
        failures=failures,
    )
    return taken_back, ()


def _cancel(task: Task) -> Step:
    if task.state in FINAL_STATES:
        return task, ()
    commands: tuple[TaskCommand, ...] = (Conclude(state=TaskState.CANCELLED),)
    if task.token is not None and task.worker is not None:
        commands = (*commands, StopAttempt(token=task.token, worker=task.worker))
    return _free(task, TaskState.CANCELLED), commands
