"""Statements on executions: beginning them, the one touch of each batch, ending and forgetting."""

from __future__ import annotations

from sqlalchemy import (
    Delete,
    Insert,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import Insert as InsertUnlessThere
from sqlalchemy.dialects.postgresql import insert as insert_unless_there
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.elements import ColumnElement

from morphml.storage.expressions import checked, constant, database_now
from morphml.storage.states import TaskState
from morphml.storage.tables import (
    attempts,
    classes,
    execution_events,
    executions,
    job_output,
    jobs,
    tasks,
    workflows,
)
from morphml.workflow import ExecutionState

_x, _w, _v = executions.c, workflows.c, execution_events.c
_ZERO: ColumnElement[int] = literal_column("0")
_this = _x.id == bindparam("p_execution")
_RECORD = (
    _x.id,
    _x.workflow,
    _w.name,
    _x.state,
    _x.reason,
    _x.parallelism,
    _x.seq,
    _x.created_at,
    _x.ended_at,
)
_with_workflow = executions.join(workflows, _w.id == _x.workflow)


def add_workflow() -> InsertUnlessThere:
    """A document; an equal one that is there already stays."""
    added = insert_unless_there(workflows).values(
        id=bindparam("p_id"),
        name=bindparam("p_name"),
        document=bindparam("p_document"),
        created_at=database_now(),
    )
    return added.on_conflict_do_nothing()


def document_of() -> Select[tuple[object, ...]]:
    """The document of a workflow."""
    return select(_w.document).where(_w.id == bindparam("p_id"))


def add_execution() -> ReturningInsert[tuple[object, ...]]:
    """An execution begins, unless its key was used before."""
    added = insert_unless_there(executions).values(
        id=bindparam("p_execution"),
        workflow=bindparam("p_workflow"),
        key=bindparam("p_key"),
        state=constant(ExecutionState.RUNNING),
        reason=literal_column("''"),
        parallelism=bindparam("p_parallelism"),
        unfinished=bindparam("p_jobs"),
        active=_ZERO,
        succeeded=_ZERO,
        failed=_ZERO,
        seq=_ZERO,
        taken_up=_ZERO,
        created_at=database_now(),
    )
    return added.on_conflict_do_nothing().returning(_x.created_at)


def execution_of_key() -> Select[tuple[object, ...]]:
    """The execution that was begun with a key."""
    return select(_x.id, _x.workflow).where(_x.key == bindparam("p_key"))


def one_execution() -> Select[tuple[object, ...]]:
    """One execution by id."""
    return select(*_RECORD).select_from(_with_workflow).where(_this)


def standing_of() -> Select[tuple[object, ...]]:
    """What a transaction on an execution begins with: nothing is locked by it."""
    return select(
        _x.workflow, _x.state, _x.reason, _x.parallelism, _x.taken_up, database_now()
    ).where(_this)


def lock_execution() -> Select[tuple[object, ...]]:
    """An execution, which nobody else changes before this transaction is over."""
    return select(_x.state, _x.reason, _x.seq).where(_this).with_for_update()


def newest_executions() -> Select[tuple[object, ...]]:
    """Executions before a place in time, newest first."""
    return (
        select(*_RECORD)
        .select_from(_with_workflow)
        .where(tuple_(_x.created_at, _x.id) < tuple_(bindparam("p_at"), bindparam("p_execution")))
        .order_by(_x.created_at.desc(), _x.id.desc())
        .limit(bindparam("p_limit"))
    )


def newest_in_state() -> Select[tuple[object, ...]]:
    """The same, of one state only."""
    return newest_executions().where(checked(_x.state) == bindparam("p_state"))


def open_executions() -> Select[tuple[object, ...]]:
    """Executions that have not ended."""
    return select(_x.id).where(_x.ended_at.is_(None))


def touch() -> Update:
    """The one update of a batch, last of all; no row where others changed the state meanwhile."""
    return (
        update(executions)
        .where(_this, checked(_x.state) == bindparam("p_state"))
        .values(
            state=bindparam("p_next_state"),
            reason=bindparam("p_reason"),
            unfinished=_x.unfinished - bindparam("p_ended"),
            active=_x.active + bindparam("p_active"),
            succeeded=_x.succeeded + bindparam("p_succeeded"),
            failed=_x.failed + bindparam("p_failed"),
            seq=_x.seq + bindparam("p_events"),
        )
        .returning(_x.unfinished, _x.active, _x.failed, _x.seq)
    )


def set_execution() -> Update:
    """What a whole machine has come to; the row is locked."""
    return (
        update(executions)
        .where(_this)
        .values(
            state=bindparam("p_state"),
            reason=bindparam("p_reason"),
            unfinished=bindparam("p_unfinished"),
            active=bindparam("p_active"),
            succeeded=bindparam("p_succeeded"),
            failed=bindparam("p_failed"),
            seq=_x.seq + bindparam("p_events"),
            taken_up=_x.taken_up + bindparam("p_again"),
            ended_at=bindparam("p_ended_at"),
        )
        .returning(_x.seq)
    )


def end_execution() -> Update:
    """No job is left that may run; the row is locked."""
    return (
        update(executions)
        .where(_this)
        .values(
            state=bindparam("p_state"),
            reason=bindparam("p_reason"),
            seq=_x.seq + literal_column("1"),
            ended_at=database_now(),
        )
        .returning(_x.seq)
    )


def add_event() -> Insert:
    """Something that happened."""
    return insert(execution_events)


def events_after() -> Select[tuple[object, ...]]:
    """The next events of one execution."""
    return (
        select(_v.seq, _v.job, _v.state, _v.reason, _v.at)
        .where(_v.execution == bindparam("p_execution"), _v.seq > bindparam("p_after"))
        .order_by(_v.seq)
        .limit(bindparam("p_limit"))
    )


def open_job_classes() -> Select[tuple[object, ...]]:
    """Classes of all executions that go on, with the smallest rank that is ready.

    One step into the index for each class; the rank is null where nothing is ready.
    """
    head = (
        select(tasks.c.rank)
        .where(
            tasks.c.class_id == classes.c.id,
            tasks.c.state == constant(TaskState.PENDING),
            tasks.c.due_at.is_(None),
        )
        .order_by(tasks.c.rank)
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    return (
        select(head.label("head"), classes.c.id, classes.c.requirements, classes.c.owner)
        .select_from(executions.join(classes, classes.c.owner == _x.id))
        .where(
            _x.ended_at.is_(None),
            _x.state.in_([constant(ExecutionState.RUNNING), constant(ExecutionState.FAILING)]),
        )
    )


def over_since() -> Select[tuple[object, ...]]:
    """Executions that ended longer ago than so many seconds, the oldest first."""
    return (
        select(_x.id)
        .where(_x.ended_at.is_not(None), _x.ended_at <= database_now() - bindparam("p_age_s"))
        .order_by(_x.ended_at)
        .limit(bindparam("p_limit"))
        .with_for_update(skip_locked=True)
    )


def drop_jobs() -> Delete:
    """The jobs of an execution leave."""
    return delete(jobs).where(jobs.c.execution == bindparam("p_execution"))


def drop_events() -> Delete:
    """What happened in an execution leaves."""
    return delete(execution_events).where(_v.execution == bindparam("p_execution"))


def drop_output() -> Delete:
    """What the jobs of an execution wrote leaves."""
    return delete(job_output).where(job_output.c.execution == bindparam("p_execution"))


def drop_attempts() -> Delete:
    """The attempts at the jobs of an execution leave."""
    return delete(attempts).where(attempts.c.owner == bindparam("p_execution"))


def drop_classes() -> Delete:
    """The requirement sets of an execution leave."""
    return delete(classes).where(classes.c.owner == bindparam("p_execution"))


def drop_execution() -> Delete:
    """An execution leaves; its jobs, tasks, events and output left before."""
    return delete(executions).where(_this)


def drop_unused_workflows() -> Delete:
    """Documents that no execution refers to leave."""
    used = select(_x.id).where(_x.workflow == _w.id).exists()
    return delete(workflows).where(~used, _w.created_at < database_now() - bindparam("p_age_s"))


def totals() -> Select[tuple[object, ...]]:
    """Jobs that succeeded and that failed, in all executions that are stored."""
    return select(
        func.coalesce(func.sum(_x.succeeded), _ZERO), func.coalesce(func.sum(_x.failed), _ZERO)
    )


def task_counts() -> Select[tuple[object, ...]]:
    """How many job tasks stand where, by needs and priority, and since when the oldest is ready."""
    t, j = tasks.c, jobs.c
    delayed = t.due_at.is_not(None)
    its_job = and_(j.execution == t.owner, j.number == t.number)
    return (
        select(
            classes.c.requirements,
            j.priority,
            t.state,
            delayed.label("delayed"),
            func.count(),
            func.min(j.ready_at),
        )
        .select_from(
            executions.join(tasks, t.owner == _x.id)
            .join(jobs, its_job)
            .join(classes, classes.c.id == t.class_id)
        )
        .where(_x.ended_at.is_(None))
        .group_by(classes.c.requirements, j.priority, t.state, delayed)
    )
