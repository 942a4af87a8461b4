"""Claims: the next tasks by rank, over all classes that fit, one transaction a batch."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from morphml.ids import AttemptToken, ExperimentId, SessionId, TaskId, new_token
from morphml.search.changes import AttemptResult, CheckpointPointer, ClaimedTask
from morphml.storage.classes import decode_requirements, is_met
from morphml.storage.database import Database, Row, Transaction, Values
from morphml.storage.rows import AttemptRow
from morphml.storage.sessions import check_live
from morphml.storage.statements import task_rows, trial_rows


def claim(
    database: Database,
    experiment: ExperimentId,
    session: SessionId,
    limit: int,
    offers: Mapping[str, float] | None,
) -> list[ClaimedTask]:
    """See ``Store.claim``. Cost: O(limit x classes of the experiment), whatever else waits."""
    if limit < 1:
        return []
    with database.writing() as run:
        check_live(run, session)
        run.run(task_rows.wake_due, {})
        classes = run.rows(task_rows.classes_of, {"p_owner": experiment})
        return _lease_all(run, _first_of(run, classes, limit, offers), session)


def claim_any(
    database: Database,
    session: SessionId,
    limit: int,
    offers: Mapping[str, float] | None,
    but: Collection[ExperimentId],
) -> list[ClaimedTask]:
    """See ``Cluster.claim_any``. One index step for each class of the experiments that run."""
    if limit < 1:
        return []
    with database.writing() as run:
        check_live(run, session)
        run.run(task_rows.wake_due, {})
        return _lease_all(run, _first_of_any(run, limit, offers, but), session)


class _Ready(NamedTuple):
    """A task that may be claimed, in the order of claims."""

    rank: float
    id: str
    owner: str
    number: int
    segment: int
    #: Of its class.
    requirements: str

    @property
    def key(self) -> Values:
        return {"p_owner": self.owner, "p_number": self.number, "p_segment": self.segment}


def _first_of(
    run: Transaction, classes: Iterable[Row], limit: int, offers: Mapping[str, float] | None
) -> list[_Ready]:
    """The first ready tasks of all classes that fit: the heads of their walks, merged."""
    heads = [
        _head(run, class_id, requirements, limit)
        for class_id, requirements in classes
        if is_met(requirements, offers)
    ]
    return list(heapq.merge(*heads))[:limit]


def _first_of_any(
    run: Transaction,
    limit: int,
    offers: Mapping[str, float] | None,
    but: Collection[ExperimentId],
) -> list[_Ready]:
    """The same over all experiments, reading no class whose first task comes too late."""
    found: list[_Ready] = []
    classes = [row for row in run.rows(task_rows.open_classes, {}) if row[0] is not None]
    for first, class_id, requirements, owner in sorted(classes):
        if len(found) == limit and first > found[-1].rank:
            break
        if owner not in but and is_met(requirements, offers):
            head = _head(run, class_id, requirements, limit)
            found = list(heapq.merge(found, head))[:limit]
    return found


def _head(run: Transaction, class_id: int, requirements: str, limit: int) -> list[_Ready]:
    """The first ready tasks of one class, by rank."""
    values: Values = {"p_class": class_id, "p_limit": limit}
    return [
        _Ready(rank, id_, owner, number, segment, requirements)
        for rank, id_, owner, number, segment in run.rows(task_rows.ready_of_class, values)
    ]


def _lease_all(run: Transaction, ready: Iterable[_Ready], session: SessionId) -> list[ClaimedTask]:
    claimed = (_lease(run, task, session) for task in ready)
    return [task for task in claimed if task is not None]


def _lease(run: Transaction, task: _Ready, session: SessionId) -> ClaimedTask | None:
    """The task under a fresh token; None where another master was faster."""
    lost = run.row(task_rows.lost_of, task.key)
    token = new_token()
    taken = {"p_session": session, "p_token": token, "p_lost": 0 if lost is None else 1}
    row = run.row(task_rows.lease, {**task.key, **taken})
    if row is None:
        return None
    if lost is not None:
        _end_lost_attempt(run, task, lost)
    from_epoch, to_epoch, attempts = row
    experiment = ExperimentId(task.owner)
    trial: Values = {"p_experiment": experiment, "p_number": task.number}
    vector = run.row(task_rows.vector_of, trial)
    assert vector is not None, "a task's trial is stored with it"
    return ClaimedTask(
        id=TaskId(task.id),
        experiment=experiment,
        number=task.number,
        segment=task.segment,
        from_epoch=from_epoch,
        to_epoch=to_epoch,
        token=token,
        attempts=attempts,
        vector=vector[0].encode(),
        checkpoint=_newest_checkpoint(run, experiment, task.number),
        requirements=decode_requirements(task.requirements),
    )


def _newest_checkpoint(
    run: Transaction, experiment: ExperimentId, number: int
) -> CheckpointPointer | None:
    values: Values = {"p_experiment": experiment, "p_number": number}
    row = run.row(task_rows.newest_checkpoint, values)
    if row is None:
        return None
    token, number, step, key, digest, size = row
    return CheckpointPointer(
        token=AttemptToken(token), number=number, step=step, key=key, digest=digest, size=size
    )


def _end_lost_attempt(run: Transaction, task: _Ready, lost: Row) -> None:
    """Write the end of the attempt whose session was lost: from now on it cannot come back."""
    index, token, holder, leased_at, now = lost
    row = AttemptRow(
        owner=task.owner,
        number=task.number,
        segment=task.segment,
        idx=index,
        token=token,
        result=AttemptResult.LOST.value,
        worker="",
        session=holder,
        started_at=leased_at,
        duration_s=0.0,
        failure=None,
        ended_at=now,
    )
    run.add(trial_rows.add_attempt, (row,))
