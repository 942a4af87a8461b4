"""Statements on the jobs of executions: counting down, ending, beginning."""

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
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert as InsertUnlessThere
from sqlalchemy.dialects.postgresql import insert as insert_unless_there
from sqlalchemy.sql.dml import ReturningDelete
from sqlalchemy.sql.elements import ColumnElement

from morphml.storage.expressions import checked, constant, database_now
from morphml.storage.states import TaskState
from morphml.storage.tables import attempts, job_output, jobs, tasks
from morphml.workflow import JobState

_j, _o, _a = jobs.c, job_output.c, attempts.c
_of = _j.execution == bindparam("p_execution")
_this = and_(_of, _j.number == bindparam("p_number"))
_ONE: ColumnElement[int] = literal_column("1")


#: States in conditions on rows that are found by their key.
_state = checked(_j.state)
_WAITING, _READY, _ACTIVE, _FANNED_OUT = (
    constant(state)
    for state in (JobState.WAITING, JobState.READY, JobState.ACTIVE, JobState.FANNED_OUT)
)
_open = _state.in_([_WAITING, _READY, _ACTIVE, _FANNED_OUT])
#: Numbers of parts begin here.
_PARTS: ColumnElement[int] = literal_column("16384")
_RECORD = (
    _j.number,
    _j.state,
    _j.reason,
    _j.waiting_for,
    _j.passed,
    _j.barred,
    _j.kept,
    _j.rank,
    _j.item,
    _j.outputs,
    _j.experiment,
)


def add_job() -> Insert:
    """A job, or a part of one."""
    return insert(jobs)


def lock_jobs() -> Select[tuple[object, ...]]:
    """All jobs of an execution by number; nobody else changes one before this is over."""
    return select(*_RECORD).where(_of).order_by(_j.number).with_for_update()


def end_job() -> Update:
    """A job that has not ended does; no row where it had."""
    return (
        update(jobs)
        .where(_this, _open)
        .values(
            state=bindparam("p_state"),
            reason=bindparam("p_reason"),
            outputs=bindparam("p_outputs"),
            kept=bindparam("p_kept"),
            rank=null(),
            ended_at=database_now(),
        )
        .returning(_j.number)
    )


def count_ends() -> Update:
    """What the ends of some mean for one that waits for them."""
    return (
        update(jobs)
        .where(_this)
        .values(
            waiting_for=_j.waiting_for - bindparam("p_ended"),
            passed=_j.passed + bindparam("p_passed"),
            barred=_j.barred + bindparam("p_barred"),
        )
        .returning(_j.state, _j.waiting_for, _j.passed, _j.barred)
    )


def start_job() -> Update:
    """A job gets a task, or an experiment that is to be made."""
    return (
        update(jobs)
        .where(_this, _state.in_([_WAITING, _READY]))
        .values(
            state=_ACTIVE,
            experiment=bindparam("p_experiment"),
            ready_at=func.coalesce(_j.ready_at, database_now()),
            rank=null(),
        )
    )


def make_ready() -> Update:
    """A job waits for room in its execution."""
    return (
        update(jobs)
        .where(_this, _state == _WAITING)
        .values(
            state=_READY,
            rank=bindparam("p_rank"),
            ready_at=database_now(),
        )
    )


def fan_out() -> Update:
    """A job is divided into parts, which it waits for."""
    return (
        update(jobs)
        .where(_this, _state == _WAITING)
        .values(
            state=_FANNED_OUT,
            waiting_for=bindparam("p_parts"),
            passed=literal_column("0"),
            barred=literal_column("0"),
        )
    )


def first_ready() -> Select[tuple[object, ...]]:
    """The first jobs of an execution that wait for room; its row is locked."""
    return (
        select(_j.number)
        .where(_of, _j.state == _READY)
        .order_by(_j.rank, _j.number)
        .limit(bindparam("p_limit"))
    )


def give_up_unclaimed() -> ReturningDelete[tuple[object, ...]]:
    """Tasks of an execution that nobody has yet leave."""
    t = tasks.c
    return (
        delete(tasks)
        .where(t.owner == bindparam("p_execution"), t.state == constant(TaskState.PENDING))
        .returning(t.number)
    )


def give_up_waiting() -> Update:
    """Jobs of an execution that have not begun never will."""
    return (
        update(jobs)
        .where(_of, _state.in_([_WAITING, _READY]))
        .values(
            state=constant(JobState.CANCELLED),
            reason=bindparam("p_reason"),
            rank=null(),
            ended_at=database_now(),
        )
        .returning(_j.number)
    )


def count_failure() -> Update:
    """An attempt failed and another one follows."""
    return (
        update(jobs)
        .where(_this)
        .values(
            failures=_j.failures + bindparam("p_failures"),
            losses=_j.losses + bindparam("p_losses"),
        )
    )


def set_job() -> Update:
    """What a whole machine has come to; the row is locked."""
    return (
        update(jobs)
        .where(_this)
        .values(
            state=bindparam("p_state"),
            reason=bindparam("p_reason"),
            waiting_for=bindparam("p_waiting_for"),
            passed=bindparam("p_passed"),
            barred=bindparam("p_barred"),
            kept=bindparam("p_kept"),
            ready_at=bindparam("p_ready_at"),
            rank=bindparam("p_rank"),
            outputs=bindparam("p_outputs"),
            experiment=bindparam("p_experiment"),
            failures=literal_column("0"),
            losses=literal_column("0"),
            ended_at=bindparam("p_ended_at"),
        )
    )


def drop_part() -> ReturningDelete[tuple[object, ...]]:
    """A part leaves, since its job runs anew as a whole."""
    return delete(jobs).where(_this).returning(_j.number)


def drop_task() -> ReturningDelete[tuple[object, ...]]:
    """The task of a job leaves, whoever holds it."""
    t = tasks.c
    return (
        delete(tasks)
        .where(t.owner == bindparam("p_execution"), t.number == bindparam("p_number"))
        .returning(t.number)
    )


def drop_tasks() -> Delete:
    """All tasks of an execution leave."""
    return delete(tasks).where(tasks.c.owner == bindparam("p_execution"))


def lock_tasks() -> Select[tuple[object, ...]]:
    """All tasks of an execution; nobody claims or ends one before this transaction is over."""
    t = tasks.c
    return (
        select(t.number)
        .where(t.owner == bindparam("p_execution"))
        .order_by(t.number)
        .with_for_update()
    )


def lock_job() -> Select[tuple[object, ...]]:
    """A job, which nobody else changes before this transaction is over."""
    return select(_j.state).where(_this).with_for_update()


def name_experiment() -> Update:
    """The experiment of a search is made; no row where it was already, or is not wanted."""
    return (
        update(jobs)
        .where(
            _this,
            _state == _ACTIVE,
            checked(_j.experiment) == literal_column("''"),
        )
        .values(experiment=bindparam("p_experiment"))
        .returning(_j.number)
    )


def add_output() -> InsertUnlessThere:
    """Something that a job wrote; where two attempts at it write at once, one piece is lost."""
    return insert_unless_there(job_output).on_conflict_do_nothing()
