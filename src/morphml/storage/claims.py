"""Claims: the next tasks by rank, over all classes that fit, one transaction a batch."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from morphml.ids import (
    AttemptToken,
    ExperimentId,
    SessionId,
    TaskId,
    is_execution,
    new_token,
)
from morphml.search.changes import AttemptResult, CheckpointPointer, ClaimedTask
from morphml.storage.classes import Could, decode_requirements, is_met
from morphml.storage.database import Database, Row, Transaction, Values, again
from morphml.storage.rows import AttemptRow
from morphml.storage.sessions import check_live
from morphml.storage.statements import execution_rows, queue_rows, task_rows, trial_rows
from morphml.storage.workflows.queueing import settings_of


def claim(
    database: Database,
    experiment: ExperimentId,
    session: SessionId,
    limit: int,
    could: Could | None,
) -> list[ClaimedTask]:
    """See ``Store.claim``. Cost: O(limit x classes of the experiment), whatever else waits."""
    if limit < 1:
        return []

    def transaction() -> list[ClaimedTask]:
        with database.writing() as run:
            check_live(run, session)
            run.tell(task_rows.wake_due, ({},))
            classes = run.rows(task_rows.classes_of, {"p_owner": experiment})
            return _lease(run, _first_of(run, classes, limit, could), session)

    return again(transaction)


def claim_any(
    database: Database,
    session: SessionId,
    limit: int,
    could: Could | None,
    at_most: Mapping[ExperimentId, int],
) -> list[ClaimedTask]:
    """See ``Cluster.claim_any``. One index step for each class of what goes on."""
    if limit < 1:
        return []

    def transaction() -> list[ClaimedTask]:
        with database.writing() as run:
            check_live(run, session)
            run.tell(task_rows.wake_due, ({},))
            classes = run.rows(task_rows.open_classes, {})
            return _lease(run, _first_of_any(run, classes, limit, could, at_most), session)

    return again(transaction)


#: What a trial has and a job has not: decisions, and a checkpoint.
_JOB: Row = ("", *[None] * 6)


def claim_jobs(
    database: Database, session: SessionId, limit: int, could: Could | None
) -> list[ClaimedTask]:
    """See ``Cluster.claim_jobs``. One index step for each class of the executions that go on."""
    if limit < 1:
        return []

    def transaction() -> list[ClaimedTask]:
        with database.writing() as run:
            check_live(run, session)
            settings = settings_of(run)
            if settings.paused:
                return []
            run.tell(task_rows.wake_due, ({},))
            most = limit if settings.rate is None else min(limit, _allowance(run))
            if most < 1:
                return []
            classes = run.rows(execution_rows.open_job_classes, {})
            claimed = _lease(run, _first_of_any(run, classes, most, could, {}), session)
            if settings.rate is not None:
                run.tell(queue_rows.take_allowance, ({"p_taken": len(claimed)},))
            return claimed

    return again(transaction)


def _allowance(run: Transaction) -> int:
    """How many jobs the rate lets begin now."""
    row = run.row(queue_rows.fill_allowance, {})
    assert row is not None, "a rate was read from it"
    return int(row[0])


class _Ready(NamedTuple):
    """A task that may be claimed, in the order of claims."""

    rank: float
    id: str
    owner: str
    number: int
    segment: int
    #: Of the attempt whose session was lost, as far as one may still come back.
    lost_token: str | None
    lost_holder: str | None
    leased_at: float | None
    #: Of its class.
    requirements: str

    @property
    def key(self) -> Values:
        return {"p_owner": self.owner, "p_number": self.number, "p_segment": self.segment}


def _first_of(
    run: Transaction, classes: Iterable[Row], limit: int, could: Could | None
) -> list[_Ready]:
    """The first ready tasks of all classes that fit: the heads of their walks, merged."""
    heads = [
        _head(run, class_id, requirements, limit)
        for class_id, requirements in classes
        if is_met(requirements, could)
    ]
    return list(heapq.merge(*heads))[:limit]


def _first_of_any(
    run: Transaction,
    classes: Sequence[Row],
    limit: int,
    could: Could | None,
    at_most: Mapping[ExperimentId, int],
) -> list[_Ready]:
    """The same over all owners, reading no class whose first task comes too late."""
    found: list[_Ready] = []
    for first, class_id, requirements, owner in sorted(
        row for row in classes if row[0] is not None
    ):
        if len(found) == limit and first > found[-1].rank:
            break
        most = min(limit, at_most.get(owner, limit))
        if most > 0 and is_met(requirements, could):
            head = _head(run, class_id, requirements, most)
            own = heapq.merge((task for task in found if task.owner == owner), head)
            others = (task for task in found if task.owner != owner)
            found = list(heapq.merge(others, islice(own, most)))[:limit]
    return found


def _head(run: Transaction, class_id: int, requirements: str, limit: int) -> list[_Ready]:
    """The first ready tasks of one class, by rank."""
    values: Values = {"p_class": class_id, "p_limit": limit}
    rows = run.rows(task_rows.ready_of_class, values)
    return [_Ready._make((*row, requirements)) for row in rows]


def _lease(run: Transaction, ready: Sequence[_Ready], session: SessionId) -> list[ClaimedTask]:
    """The tasks under fresh tokens, without those that another master was faster with."""
    tokens = [new_token() for _ in ready]
    values: list[Values] = [
        {
            **task.key,
            "p_session": session,
            "p_token": token,
            "p_lost": 0 if task.lost_token is None else 1,
        }
        for task, token in zip(ready, tokens, strict=True)
    ]
    leased = run.each(task_rows.lease, values)
    taken = [
        (task, token, row)
        for task, token, row in zip(ready, tokens, leased, strict=True)
        if row is not None
    ]
    ended = [_lost_attempt(task, row) for task, _, row in taken if task.lost_token is not None]
    if ended:
        run.add(trial_rows.add_attempt, ended)
    trials: list[Values] = [
        {"p_experiment": task.owner, "p_number": task.number}
        for task, _, _ in taken
        if not is_execution(task.owner)
    ]
    found = iter(run.each(task_rows.claimed_trial, trials))
    return [
        _claimed(task, token, row, _JOB if is_execution(task.owner) else next(found))
        for task, token, row in taken
    ]


def _claimed(task: _Ready, token: AttemptToken, row: Row, trial: Row | None) -> ClaimedTask:
    assert trial is not None, "a task's trial is stored with it"
    from_epoch, to_epoch, attempts, _ = row
    vector, *checkpoint = trial
    return ClaimedTask(
        id=TaskId(task.id),
        experiment=ExperimentId(task.owner),
        number=task.number,
        segment=task.segment,
        from_epoch=from_epoch,
        to_epoch=to_epoch,
        token=token,
        attempts=attempts,
        vector=vector.encode(),
        checkpoint=checkpoint_of(checkpoint),
        requirements=decode_requirements(task.requirements),
        rank=task.rank,
    )


def checkpoint_of(columns: Sequence[Any]) -> CheckpointPointer | None:
    """The checkpoint that a row of ``claimed_trial`` has behind the decisions."""
    token, number, step, key, digest, size = columns
    if token is None:
        return None
    return CheckpointPointer(
        token=AttemptToken(token), number=number, step=step, key=key, digest=digest, size=size
    )


def _lost_attempt(task: _Ready, row: Row) -> AttemptRow:
    """The end of the attempt whose session was lost: from now on it cannot come back."""
    _, _, attempts, now = row
    assert task.lost_token is not None, "only of a task that lost its attempt"
    return AttemptRow(
        owner=task.owner,
        number=task.number,
        segment=task.segment,
        idx=attempts - 1,
        token=task.lost_token,
        result=AttemptResult.LOST.value,
        worker="",
        session=task.lost_holder,
        started_at=now if task.leased_at is None else task.leased_at,
        duration_s=0.0,
        failure=None,
        ended_at=now,
    )
