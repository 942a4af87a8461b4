"""What anybody may ask of a store, in pages: no reader holds a state of the database for long."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from morphml.ids import AttemptToken, ExperimentId, SessionId, TaskId
from morphml.search.changes import (
    AttemptRecord,
    AttemptResult,
    ExperimentRecord,
    TaskRecord,
    TrialRecord,
)
from morphml.search.experiment import ExperimentState, TrialState
from morphml.search.log import EntryKind, LogEntry
from morphml.storage.database import Database, Row, Values
from morphml.storage.driving import unknown_experiment
from morphml.storage.statements import experiment_rows, log_rows, task_rows, trial_rows
from morphml.storage.states import TaskState

#: Rows of one page.
_PAGE = 2_000


def experiments(database: Database) -> list[ExperimentRecord]:
    """See ``Store.experiments``."""
    with database.reading() as run:
        rows = run.rows(experiment_rows.all_experiments, {})
    return [_experiment_record(row) for row in rows]


def experiment(database: Database, name: ExperimentId) -> ExperimentRecord:
    """See ``Store.experiment``."""
    with database.reading() as run:
        row = run.row(experiment_rows.one_experiment, {"p_id": name})
    if row is None:
        raise unknown_experiment(name)
    return _experiment_record(row)


def log(database: Database, name: ExperimentId, after: int) -> Iterator[LogEntry]:
    """See ``Store.log``. About 2 us an entry."""
    kinds = {kind.value: kind for kind in EntryKind}
    while True:
        values: Values = {"p_experiment": name, "p_after": after, "p_limit": _PAGE}
        with database.reading() as run:
            rows = run.rows(log_rows.entries_after, values)
        for seq, kind, number, body in rows:
            yield LogEntry(seq, kinds[kind], number, body.encode())
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def trials(database: Database, name: ExperimentId, after: int) -> Iterator[TrialRecord]:
    """See ``Store.trials``."""
    while True:
        values: Values = {"p_experiment": name, "p_after": after, "p_limit": _PAGE}
        with database.reading() as run:
            rows = run.rows(trial_rows.trials_from, values)
        yield from map(_trial_record, rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def attempts(database: Database, name: ExperimentId) -> Iterator[AttemptRecord]:
    """See ``Store.attempts``."""
    number, segment, index = -1, 0, 0
    while True:
        values: Values = {
            "p_owner": name,
            "p_number": number,
            "p_segment": segment,
            "p_index": index,
            "p_limit": _PAGE,
        }
        with database.reading() as run:
            rows = run.rows(trial_rows.attempts_from, values)
        yield from map(_attempt_record, rows)
        if len(rows) < _PAGE:
            return
        number, segment, index = rows[-1][:3]


def live_attempts(database: Database, name: ExperimentId) -> list[AttemptToken]:
    """See ``Store.live_attempts``."""
    with database.reading() as run:
        return [AttemptToken(row[0]) for row in run.rows(task_rows.leased_of, {"p_owner": name})]


def task_counts(database: Database, name: ExperimentId) -> dict[TaskState, int]:
    """See ``Store.task_counts``."""
    with database.reading() as run:
        rows = run.rows(task_rows.states_of, {"p_owner": name})
    return {TaskState(state): count for state, count in rows}


def tasks(database: Database, name: ExperimentId, *, under_way: bool) -> list[TaskRecord]:
    """See ``Cluster.tasks``. About 2 us a task in the answer, 0.2 us for each that waits."""
    statement = task_rows.under_way_of if under_way else task_rows.unfinished_of
    with database.reading() as run:
        rows = run.rows(statement, {"p_owner": name})
    return [_task_record(row) for row in rows]


def requested_state(database: Database, name: ExperimentId) -> tuple[ExperimentState, str] | None:
    """What others have asked the experiment's driver for, and why; None when nothing."""
    with database.reading() as run:
        row = run.row(experiment_rows.requested_state, {"p_id": name})
    if row is None:
        raise unknown_experiment(name)
    return None if row[0] is None else (ExperimentState(row[0]), row[1])


def _experiment_record(row: Row) -> ExperimentRecord:
    name, title, spec, state, reason, budget, next_number, seq, created_at, spent_s, priority = row
    return ExperimentRecord(
        id=ExperimentId(name),
        name=title,
        spec=orjson.loads(spec),
        state=ExperimentState(state),
        reason=reason,
        budget=budget,
        next_number=next_number,
        seq=seq,
        created_at=created_at,
        spent_s=spent_s,
        priority=priority,
    )


def _task_record(row: Row) -> TaskRecord:
    name, number, segment, to_epoch, token, holder, attempts_, due_at = row
    return TaskRecord(
        id=TaskId(name),
        number=number,
        segment=segment,
        to_epoch=to_epoch,
        token=None if token is None else AttemptToken(token),
        holder=None if holder is None else SessionId(holder),
        attempts=attempts_,
        due_at=due_at,
    )


def _trial_record(row: Row) -> TrialRecord:
    number, state, vector, graph, point, computed, metrics, duration_s, epochs, created, ended = row
    return TrialRecord(
        number=number,
        state=TrialState(state),
        vector=vector.encode(),
        graph_id=graph,
        point_id=point,
        computed=orjson.loads(computed),
        metrics={} if metrics is None else orjson.loads(metrics),
        duration_s=duration_s,
        epochs=epochs,
        created_at=created,
        ended_at=ended,
    )


def _attempt_record(row: Row) -> AttemptRecord:
    number, segment, index, result, worker, started_at, duration_s, failure = row
    return AttemptRecord(
        number=number,
        segment=segment,
        index=index,
        result=AttemptResult(result),
        worker=worker,
        started_at=started_at,
        duration_s=duration_s,
        failure=None if failure is None else orjson.loads(failure),
    )
