"""What a driver transaction writes once it has passed the fence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from morphml.errors import TokenRefused
from morphml.ids import ExperimentId
from morphml.search.changes import (
    AttemptEnd,
    Changes,
    CheckpointPointer,
    ExperimentEnd,
    NewTask,
    NewTrial,
    ReturnedTask,
    TaskThen,
    TrialUpdate,
)
from morphml.search.experiment import ExperimentState, TrialState
from morphml.search.log import LogEntry
from morphml.storage.classes import TransactionClasses
from morphml.storage.database import Row, Transaction, Values
from morphml.storage.knowledge import add_results
from morphml.storage.rows import ArtifactRow, AttemptRow, EntryRow, TaskRow, TrialRow
from morphml.storage.statements import (
    artifact_rows,
    experiment_rows,
    log_rows,
    mail_rows,
    task_rows,
    trial_rows,
)
from morphml.storage.states import ArtifactKind, TaskKind, TaskState

_FINAL = frozenset(TrialState) - {TrialState.PENDING, TrialState.PAUSED}
#: Names of states as columns hold them.
_PENDING, _TRIAL = TrialState.PENDING.value, TaskKind.TRIAL.value
_WAITS, _LEASED = TaskState.PENDING.value, TaskState.LEASED.value
#: More segments than any trial has.
_EVERY_SEGMENT = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The tasks of attempts that end or saved something; None where the token is not live."""

    #: In the order of ``Changes.checkpoints``.
    saved: Sequence[Row | None]
    #: In the order of ``Changes.ended``; tasks that go with their attempt are gone already.
    ended: Sequence[Row | None]


def hold(run: Transaction, experiment: ExperimentId, changes: Changes) -> Held:
    """Take hold of the tasks that ``write`` needs, so that both ask the database once together.

    Args:
        run: the transaction of ``write``; whether it passes the fence may be open yet.
        experiment: whose changes they are.
        changes: as for ``write``.
    """
    saved = run.each(task_rows.held_task, [_held(experiment, each) for each in changes.checkpoints])
    ended: list[Row | None] = [None] * len(changes.ended)
    for statement, gone in ((task_rows.finish, True), (task_rows.held_task, False)):
        part = [n for n, end in enumerate(changes.ended) if (end.then is TaskThen.GONE) is gone]
        rows = run.each(statement, [_held(experiment, changes.ended[n]) for n in part])
        for n, row in zip(part, rows, strict=True):
            ended[n] = row
    return Held(saved=saved, ended=ended)


def write(
    run: Transaction,
    experiment: ExperimentId,
    changes: Changes,
    held: Held,
    now: float,
    classes: TransactionClasses,
) -> None:
    """Write all of ``changes``.

    Args:
        run: a transaction that has passed the fence of ``experiment``.
        experiment: whose changes they are.
        changes: with numbers that the fence has given.
        held: what ``hold`` found in this transaction.
        now: the database's time.
        classes: of this transaction.

    Raises:
        TokenRefused: when an attempt's token is not live; the caller rolls back.
    """
    for checkpoint, task in zip(changes.checkpoints, held.saved, strict=True):
        _add_checkpoint(run, experiment, checkpoint, task, now)
    if changes.ended:
        _end_attempts(run, experiment, changes.ended, held.ended, now)
    for returned in changes.returned:
        _give_back(run, experiment, returned)
    if changes.updates:
        run.tell(
            trial_rows.update_trial,
            [_update_values(experiment, update, now) for update in changes.updates],
        )
    if changes.trials:
        run.add(trial_rows.add_trial, _trial_rows(experiment, changes.trials, now))
    over = _segments_over(experiment, changes)
    if over:
        run.tell(task_rows.drop_segments, over)
    if changes.tasks:
        # A class may have to be looked up: before the rows, since those wait for nothing.
        ids = [classes.of(run, experiment, new.requirements) for new in changes.tasks]
        run.add(task_rows.add_task, _task_rows(experiment, changes.tasks, ids, now))
    if changes.entries:
        run.add(log_rows.add_entry, _entry_rows(experiment, changes.entries, now))
    if changes.results:
        add_results(run, experiment, changes.results, now)
    if changes.end is not None:
        _end_experiment(run, experiment, changes.end)


def _end_experiment(run: Transaction, experiment: ExperimentId, end: ExperimentEnd) -> None:
    values: Values = {"p_id": experiment, "p_state": end.state, "p_reason": end.reason}
    run.tell(experiment_rows.end_experiment, (values,))
    if end.state is ExperimentState.COMPLETED:
        run.tell(mail_rows.drop_mail_of, ({"p_id": experiment},))


def _trial_rows(
    experiment: ExperimentId, trials: Sequence[NewTrial], now: float
) -> Iterator[TrialRow]:
    for trial in trials:
        yield TrialRow(
            experiment,
            trial.number,
            _PENDING,
            trial.vector.decode(),
            trial.graph_id,
            trial.point_id,
            trial.computed.decode(),
            None,
            0.0,
            0,
            now,
            None,
        )


def _entry_rows(
    experiment: ExperimentId, entries: Sequence[LogEntry], now: float
) -> Iterator[EntryRow]:
    for entry in entries:
        yield EntryRow(
            experiment,
            entry.seq,
            entry.kind._value_,
            entry.number,
            entry.body.decode(),
            now,
        )


def _segments_over(experiment: ExperimentId, changes: Changes) -> list[Values]:
    """Tasks that leave with the end of their trial, or for the promotion that they waited for."""
    # Those whose attempt ended here have left already.
    gone = {end.number for end in changes.ended if end.then is TaskThen.GONE}
    over = [
        (update.number, _EVERY_SEGMENT)
        for update in changes.updates
        if update.number not in gone and update.state in _FINAL
    ]
    over += [(task.number, task.segment) for task in changes.tasks if task.segment]
    return [{"p_owner": experiment, "p_number": n, "p_segment": before} for n, before in over]


def _task_rows(
    experiment: ExperimentId, tasks: Sequence[NewTask], classes: Sequence[int], now: float
) -> Iterator[TaskRow]:
    for task, class_id in zip(tasks, classes, strict=True):
        yield _task_row(experiment, task, class_id, now)


def _task_row(experiment: ExperimentId, task: NewTask, class_id: int, now: float) -> TaskRow:
    lease = task.lease
    return TaskRow(
        experiment,
        task.number,
        task.segment,
        task.id,
        _TRIAL,
        task.from_epoch,
        task.to_epoch,
        class_id,
        task.rank,
        _WAITS if lease is None else _LEASED,
        task.ready_at if lease is None and task.ready_at > now else None,
        0,
        None if lease is None else lease.session,
        None if lease is None else lease.token,
        None,
        None,
        None if lease is None else now,
    )


def _update_values(experiment: ExperimentId, update: TrialUpdate, now: float) -> Values:
    return {
        "p_experiment": experiment,
        "p_number": update.number,
        "p_state": update.state._value_,
        "p_metrics": None if update.metrics is None else update.metrics.decode(),
        "p_duration_s": update.duration_s,
        "p_epochs": update.epochs,
        "p_ended_at": now if update.state in _FINAL else None,
    }


def _end_attempts(
    run: Transaction,
    experiment: ExperimentId,
    ends: Sequence[AttemptEnd],
    held: Sequence[Row | None],
    now: float,
) -> None:
    rows: list[AttemptRow] = []
    for end, row in zip(ends, held, strict=True):
        if row is None:
            raise _refused(run, experiment, end)
        if row[3] == TaskState.ENDED:
            # It came from another master as mail, all of which counts no more.
            run.tell(mail_rows.drop_mail_of_token, ({"p_token": end.token},))
        rows.append(_attempt_row(experiment, end, row, now))
    kept = [end for end in ends if end.then is not TaskThen.GONE]
    if kept:
        run.tell(task_rows.put_back, [_back(experiment, end, now) for end in kept])
    run.add(trial_rows.add_attempt, rows)


def _held(experiment: ExperimentId, of: AttemptEnd | CheckpointPointer | ReturnedTask) -> Values:
    return {"p_owner": experiment, "p_number": of.number, "p_token": of.token}


def _back(experiment: ExperimentId, end: AttemptEnd, now: float) -> Values:
    paused = end.then is TaskThen.PAUSED
    return {
        **_held(experiment, end),
        "p_state": TaskState.PAUSED if paused else TaskState.PENDING,
        "p_due_at": end.ready_at if not paused and end.ready_at > now else None,
        "p_rank": end.rank,
    }


def _give_back(run: Transaction, experiment: ExperimentId, task: ReturnedTask) -> None:
    if run.row(task_rows.give_back, _held(experiment, task)) is None:
        raise TokenRefused(
            f"experiment {experiment}, trial {task.number}: the task cannot go back, since the "
            "attempt's token is not the live one; nothing of this transaction was stored"
        )


def _attempt_row(experiment: ExperimentId, end: AttemptEnd, row: Row, now: float) -> AttemptRow:
    segment, index, holder, _ = row
    return AttemptRow(
        experiment,
        end.number,
        segment,
        index,
        end.token,
        end.result._value_,
        end.worker,
        holder,
        end.started_at,
        end.duration_s,
        None if end.failure is None else end.failure.decode(),
        now,
    )


def _add_checkpoint(
    run: Transaction,
    experiment: ExperimentId,
    checkpoint: CheckpointPointer,
    task: Row | None,
    now: float,
) -> None:
    if task is None:
        raise TokenRefused(
            f"experiment {experiment}, trial {checkpoint.number}: the checkpoint at step "
            f"{checkpoint.step} comes from an attempt that is not the live one; it was not stored"
        )
    row = ArtifactRow(
        key=checkpoint.key,
        experiment=experiment,
        number=checkpoint.number,
        step=checkpoint.step,
        kind=ArtifactKind.CHECKPOINT.value,
        token=checkpoint.token,
        digest=checkpoint.digest,
        size=checkpoint.size,
        created_at=now,
    )
    # An evaluator may save twice after one epoch; the file then holds what it saved last.
    key: Values = {"p_key": checkpoint.key, "p_experiment": experiment}
    run.run(artifact_rows.drop_artifact, key)
    run.add(artifact_rows.add_artifact, (row,))


def _refused(run: Transaction, experiment: ExperimentId, end: AttemptEnd) -> TokenRefused:
    stored = run.row(trial_rows.result_of, _held(experiment, end))
    if stored is not None:
        why = f"its end is stored already ({stored[0]})"
    else:
        why = "another attempt took the task over, or it was cancelled"
    return TokenRefused(
        f"experiment {experiment}, trial {end.number}, task {end.task}: the attempt's token is "
        f"not the live one: {why}; nothing of this transaction was stored",
        stored=stored is not None,
    )
