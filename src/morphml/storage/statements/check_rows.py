"""Statements that look for rows that no store should hold."""

from __future__ import annotations

from sqlalchemy import Select, and_, func, or_, select

from morphml.search.experiment import ExperimentState, TrialState
from morphml.storage.expressions import constant
from morphml.storage.states import SessionState, TaskKind
from morphml.storage.tables import artifacts, attempts, experiments, log, sessions, tasks, trials

_e, _t, _l = experiments.c, trials.c, log.c
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
