"""Queries about the jobs of executions."""

from __future__ import annotations

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.sql.elements import ColumnElement

from morphml.storage.expressions import checked, constant, database_now
from morphml.storage.states import TaskKind
from morphml.storage.tables import attempts, experiments, job_output, jobs, tasks
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


def outputs_of() -> Select[tuple[object, ...]]:
    """What a job put out."""
    return select(_j.outputs).where(_this)


def item_of() -> Select[tuple[object, ...]]:
    """What a part of a job was made for."""
    return select(_j.item).where(_this)


def parts_of() -> Select[tuple[object, ...]]:
    """Outputs of the parts of a job, in the order of their items."""
    return (
        select(_j.number, _j.state, _j.outputs)
        .where(_of, _j.number >= _PARTS, _j.number % _PARTS == bindparam("p_number"))
        .order_by(_j.number)
    )


def counts_of() -> Select[tuple[object, ...]]:
    """How many jobs of an execution are in each state, parts not counted."""
    return select(_j.state, func.count()).where(_of, _j.number < _PARTS).group_by(_j.state)


def jobs_of() -> Select[tuple[object, ...]]:
    """All jobs of an execution with their tasks, by number."""
    t = tasks.c
    its_task = and_(t.owner == _j.execution, t.number == _j.number)
    return (
        select(
            _j.number,
            _j.state,
            _j.reason,
            _j.outputs,
            _j.experiment,
            _j.ended_at,
            t.state.label("task"),
            t.due_at,
        )
        .select_from(jobs.outerjoin(tasks, its_task))
        .where(_of)
        .order_by(_j.number)
    )


def attempts_of() -> Select[tuple[object, ...]]:
    """Ended attempts at the jobs of an execution, by job and in order."""
    return (
        select(_a.number, _a.worker, _a.started_at, _a.duration_s)
        .where(_a.owner == bindparam("p_execution"))
        .order_by(_a.number, _a.segment, _a.idx)
    )


def attempts_so_far() -> Select[tuple[object, ...]]:
    """How many attempts at each job of an execution have ended."""
    return (
        select(_a.number, func.count())
        .where(_a.owner == bindparam("p_execution"))
        .group_by(_a.number)
    )


def searches() -> Select[tuple[object, ...]]:
    """Search jobs that have begun, with the state of their experiment; null where none is made."""
    e = experiments.c
    return (
        select(_j.execution, _j.number, _j.experiment, e.state, e.reason)
        .select_from(jobs.outerjoin(experiments, e.id == _j.experiment))
        .where(_j.experiment.is_not(None), _j.state == _ACTIVE)
        .order_by(_j.execution, _j.number)
        .limit(bindparam("p_limit"))
    )


def failed_jobs() -> Select[tuple[object, ...]]:
    """Jobs of an execution that failed, by number; without parts."""
    return (
        select(_j.number, _j.reason)
        .where(
            _of,
            _j.number < _PARTS,
            _j.state == constant(JobState.FAILED),
        )
        .order_by(_j.number)
    )


def ended_lately() -> Select[int]:
    """How many jobs ended within so many seconds."""
    return select(func.count()).where(
        _j.ended_at.is_not(None), _j.ended_at > database_now() - bindparam("p_within_s")
    )


def output_sizes() -> Select[tuple[object, ...]]:
    """How much of a job's output is stored: the last piece's number, and characters; the time."""
    return select(
        func.coalesce(func.max(_o.seq), literal_column("0")),
        func.coalesce(func.sum(func.length(_o.text)), literal_column("0")),
        database_now(),
    ).where(_o.execution == bindparam("p_execution"), _o.number == bindparam("p_number"))


def output_after() -> Select[tuple[object, ...]]:
    """The next pieces of what a job wrote."""
    return (
        select(_o.seq, _o.at, _o.stream, _o.text)
        .where(
            _o.execution == bindparam("p_execution"),
            _o.number == bindparam("p_number"),
            _o.seq > bindparam("p_after"),
        )
        .order_by(_o.seq)
        .limit(bindparam("p_limit"))
    )


def due_jobs() -> Select[tuple[object, ...]]:
    """A task of a job whose time has come, such as that of a retry; no row where there is none."""
    t = tasks.c
    now = select(database_now()).scalar_subquery()
    return (
        select(t.number)
        .where(t.due_at <= now, t.due_at.is_not(None), t.kind == constant(TaskKind.JOB))
        .limit(_ONE)
    )


def failures_of() -> Select[tuple[object, ...]]:
    """How often a job has failed; nobody else changes it before this transaction is over."""
    return select(_j.failures, _j.losses).where(_this).with_for_update()
