"""Statements that look for rows that no store should hold."""

from __future__ import annotations

from sqlalchemy import Select, and_, func, literal_column, or_, select
from sqlalchemy.sql.elements import ColumnElement

from morphml.search.experiment import ExperimentState, TrialState
from morphml.storage.expressions import constant
from morphml.storage.states import SessionState, TaskKind
from morphml.storage.tables import (
    artifacts,
    attempts,
    execution_events,
    executions,
    experiments,
    jobs,
    log,
    sessions,
    tasks,
    trials,
)
from morphml.workflow import JobState

_e, _t, _l, _x = experiments.c, trials.c, log.c, executions.c
#: Numbers of parts begin here.
_PARTS: ColumnElement[int] = literal_column("16384")
_unfinished = _t.state.in_([constant(TrialState.PENDING), constant(TrialState.PAUSED)])
_same_trial = and_(_t.experiment == tasks.c.owner, _t.number == tasks.c.number)


def numbers_with_gaps() -> Select[tuple[object, ...]]:
    """Experiments whose trials are not numbered from 0 to what was taken."""
    found = (
        select(_t.experiment, func.count().label("rows"), func.max(_t.number).label("last"))
        .group_by(_t.experiment)
        .subquery()
    )
    rows = func.coalesce(found.c.rows, 0)
    return (
        select(_e.id, _e.next_number, rows)
        .select_from(experiments.outerjoin(found, found.c.experiment == _e.id))
        .where(or_(rows != _e.next_number, func.coalesce(found.c.last + 1, 0) != _e.next_number))
        .order_by(_e.id)
    )


def logs_with_gaps() -> Select[tuple[object, ...]]:
    """Experiments whose log entries are not numbered from 1 to what was taken."""
    found = (
        select(_l.experiment, func.count().label("rows"), func.max(_l.seq).label("last"))
        .group_by(_l.experiment)
        .subquery()
    )
    rows = func.coalesce(found.c.rows, 0)
    return (
        select(_e.id, _e.seq, rows)
        .select_from(experiments.outerjoin(found, found.c.experiment == _e.id))
        .where(or_(rows != _e.seq, func.coalesce(found.c.last, 0) != _e.seq))
        .order_by(_e.id)
    )


def budgets_exceeded() -> Select[tuple[object, ...]]:
    """Experiments that took more numbers than they may."""
    return select(_e.id, _e.next_number, _e.budget).where(_e.next_number > _e.budget)


def tasks_without_a_trial() -> Select[tuple[object, ...]]:
    """Tasks of trials that are not there, or have ended."""
    known = select(_t.number).where(_same_trial, _unfinished).exists()
    return (
        select(tasks.c.owner, tasks.c.number, tasks.c.segment)
        .where(tasks.c.kind == constant(TaskKind.TRIAL), ~known)
        .order_by(tasks.c.owner, tasks.c.number, tasks.c.segment)
    )


def trials_without_a_task() -> Select[tuple[object, ...]]:
    """Trials that have not ended, and that nobody will ever run."""
    known = select(tasks.c.number).where(_same_trial).exists()
    return (
        select(_t.experiment, _t.number)
        .select_from(trials.join(experiments, _e.id == _t.experiment))
        .where(_unfinished, ~known, _e.state != constant(ExperimentState.COMPLETED))
        .order_by(_t.experiment, _t.number)
    )


def tasks_of_dead_sessions() -> Select[tuple[object, ...]]:
    """Tasks held by a session that has ended: nobody would put them back."""
    living = (
        select(sessions.c.id)
        .where(
            sessions.c.id == tasks.c.holder,
            sessions.c.state == constant(SessionState.LIVE),
        )
        .exists()
    )
    return (
        select(tasks.c.owner, tasks.c.number, tasks.c.segment)
        .where(tasks.c.holder.is_not(None), ~living)
        .order_by(tasks.c.owner, tasks.c.number, tasks.c.segment)
    )


def attempts_without_a_trial() -> Select[tuple[object, ...]]:
    """Ended attempts at trials of an experiment that are not there."""
    known = (
        select(_t.number)
        .where(_t.experiment == attempts.c.owner, _t.number == attempts.c.number)
        .exists()
    )
    return (
        select(attempts.c.owner, attempts.c.number, attempts.c.segment)
        .select_from(attempts.join(experiments, _e.id == attempts.c.owner))
        .where(~known)
        .order_by(attempts.c.owner, attempts.c.number, attempts.c.segment)
    )


def artifacts_needed() -> Select[tuple[object, ...]]:
    """Files that trials which have not ended would go on from."""
    return (
        select(artifacts.c.experiment, artifacts.c.number, artifacts.c.key, artifacts.c.size)
        .select_from(
            artifacts.join(
                trials,
                and_(
                    _t.experiment == artifacts.c.experiment,
                    _t.number == artifacts.c.number,
                ),
            )
        )
        .where(_unfinished)
        .order_by(artifacts.c.experiment, artifacts.c.number, artifacts.c.key)
    )


def executions_miscounted() -> Select[tuple[object, ...]]:
    """Executions whose row counts other unfinished jobs than there are; parts do not count."""
    unfinished = (
        select(func.count())
        .where(jobs.c.execution == _x.id, jobs.c.number < _PARTS, jobs.c.ended_at.is_(None))
        .scalar_subquery()
    )
    return (
        select(_x.id, _x.unfinished, unfinished).where(_x.unfinished != unfinished).order_by(_x.id)
    )


def events_with_gaps() -> Select[tuple[object, ...]]:
    """Executions whose events are not numbered from 1 to what their row says."""
    found = (
        select(func.count())
        .where(execution_events.c.execution == _x.id, execution_events.c.seq <= _x.seq)
        .scalar_subquery()
    )
    return select(_x.id, _x.seq, found).where(_x.seq != found).order_by(_x.id)


def jobs_without_a_task() -> Select[tuple[object, ...]]:
    """Jobs that are active, are no search, and that nobody will ever run."""
    known = (
        select(tasks.c.number)
        .where(tasks.c.owner == jobs.c.execution, tasks.c.number == jobs.c.number)
        .exists()
    )
    return (
        select(jobs.c.execution, jobs.c.number)
        .where(jobs.c.state == constant(JobState.ACTIVE), jobs.c.experiment.is_(None), ~known)
        .order_by(jobs.c.execution, jobs.c.number)
    )


def tasks_without_a_job() -> Select[tuple[object, ...]]:
    """Tasks of jobs that are not there, or are not active."""
    known = (
        select(jobs.c.number)
        .where(
            jobs.c.execution == tasks.c.owner,
            jobs.c.number == tasks.c.number,
            jobs.c.state == constant(JobState.ACTIVE),
        )
        .exists()
    )
    return (
        select(tasks.c.owner, tasks.c.number)
        .where(tasks.c.kind == constant(TaskKind.JOB), ~known)
        .order_by(tasks.c.owner, tasks.c.number)
    )
