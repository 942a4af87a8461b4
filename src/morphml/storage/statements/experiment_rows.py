"""Statements on the experiment row: making it, driving it, asking its driver for something."""

from __future__ import annotations

from sqlalchemy import (
    Insert,
    Select,
    Update,
    and_,
    bindparam,
    case,
    insert,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from morphml.search.experiment import ExperimentState
from morphml.storage.expressions import checked, constant, database_now
from morphml.storage.states import SessionState
from morphml.storage.tables import experiments, sessions

_e = experiments.c
_ZERO: ColumnElement[int] = literal_column("0")
_NOTHING: ColumnElement[str] = literal_column("''")
#: In the words of the index ``ix_experiments_open``.
_open = _e.state.in_([constant(ExperimentState.QUEUED), constant(ExperimentState.RUNNING)])
_shared = _e.shared == literal_column("1")
_RECORD = (
    _e.id,
    _e.name,
    _e.spec,
    _e.state,
    _e.reason,
    _e.budget,
    _e.next_number,
    _e.seq,
    _e.created_at,
    (_e.spent_s + _e.driven_to - _e.driven_from).label("spent_s"),
    _e.priority,
)


def add_experiment() -> Insert:
    """A new experiment, with no driver and no number taken."""
    return insert(experiments).values(
        id=bindparam("p_id"),
        name=bindparam("p_name"),
        spec=bindparam("p_spec"),
        state=constant(ExperimentState.CREATED),
        reason=_NOTHING,
        budget=bindparam("p_trials"),
        next_number=_ZERO,
        seq=_ZERO,
        epoch=_ZERO,
        driven_from=_ZERO,
        driven_to=_ZERO,
        spent_s=_ZERO,
        created_at=database_now(),
        priority=bindparam("p_priority"),
    )


def all_experiments() -> Select[tuple[object, ...]]:
    """Every experiment, newest first."""
    return select(*_RECORD).order_by(_e.created_at.desc(), _e.id)


def one_experiment() -> Select[tuple[object, ...]]:
    """One experiment by id."""
    return select(*_RECORD).where(_e.id == bindparam("p_id"))


def fence() -> Update:
    """The first update of every driver transaction: fence, numbers, budget and log order at once.

    No row means that the caller drives this experiment no more.
    """
    return (
        update(experiments)
        .where(
            _e.id == bindparam("p_id"),
            _e.epoch == bindparam("p_epoch"),
            _e.nonce == bindparam("p_nonce"),
            checked(_e.state) == constant(ExperimentState.RUNNING),
            _e.next_number + bindparam("p_taken") <= _e.budget,
        )
        .values(
            next_number=_e.next_number + bindparam("p_taken"),
            seq=_e.seq + bindparam("p_entries"),
            driven_to=database_now(),
        )
        .returning(_e.next_number, _e.seq, _e.driven_to)
    )


def why_fenced() -> Select[tuple[object, ...]]:
    """What the row holds when the fence has refused, for the message."""
    return select(_e.epoch, _e.nonce, _e.state, _e.next_number, _e.budget).where(
        _e.id == bindparam("p_id")
    )


def end_experiment() -> Update:
    """The driver leaves the experiment in a new state; the fence has been passed."""
    return (
        update(experiments)
        .where(_e.id == bindparam("p_id"))
        .values(
            state=bindparam("p_state"),
            reason=bindparam("p_reason"),
            nonce=null(),
            driver=null(),
            requested_state=null(),
            requested_reason=null(),
            ended_at=database_now(),
        )
    )


def driver_of() -> Select[tuple[object, ...]]:
    """State of an experiment, its driver's session while that lives, and the last takeover."""
    return (
        select(_e.state, _e.driver, sessions.c.id, _e.epoch)
        .select_from(
            experiments.outerjoin(
                sessions,
                (sessions.c.id == _e.driver)
                & (checked(sessions.c.state) == constant(SessionState.LIVE)),
            )
        )
        .where(_e.id == bindparam("p_id"))
    )


def take_over() -> Update:
    """A session becomes the driver: new epoch, new nonce; requests to the last one are void.

    No row means that another session took it since its epoch was read.
    """
    return (
        update(experiments)
        .where(_e.id == bindparam("p_id"), _e.epoch == bindparam("p_epoch"))
        .values(
            state=constant(ExperimentState.RUNNING),
            reason=_NOTHING,
            epoch=_e.epoch + literal_column("1"),
            nonce=bindparam("p_nonce"),
            driver=bindparam("p_session"),
            spent_s=_e.spent_s + _e.driven_to - _e.driven_from,
            driven_from=database_now(),
            driven_to=database_now(),
            requested_state=null(),
            requested_reason=null(),
            ended_at=null(),
        )
        .returning(_e.epoch, _e.next_number, _e.seq)
    )


def set_budget() -> Update:
    """Another number of trials, unless more are taken already; what is completed may go on."""
    goes_on = and_(
        _e.state == constant(ExperimentState.COMPLETED), _e.next_number < bindparam("p_trials")
    )
    return (
        update(experiments)
        .where(_e.id == bindparam("p_id"), _e.next_number <= bindparam("p_trials"))
        .values(
            budget=bindparam("p_trials"),
            state=case((goes_on, constant(ExperimentState.PAUSED)), else_=_e.state),
        )
    )


def set_idle_state() -> Update:
    """A new state for an experiment that nobody drives."""
    return (
        update(experiments)
        .where(_e.id == bindparam("p_id"))
        .values(
            state=bindparam("p_state"), reason=bindparam("p_reason"), nonce=null(), driver=null()
        )
    )


def queue() -> Update:
    """Whichever master has room may drive it, unless one does or it is completed."""
    waits = (
        ExperimentState.CREATED,
        ExperimentState.QUEUED,
        ExperimentState.PAUSED,
        ExperimentState.FAILED,
    )
    return (
        update(experiments)
        .where(_e.id == bindparam("p_id"), _e.state.in_([constant(state) for state in waits]))
        .values(
            state=constant(ExperimentState.QUEUED),
            reason=_NOTHING,
            priority=bindparam("p_priority"),
            shared=literal_column("1"),
            nonce=null(),
            driver=null(),
            requested_state=null(),
            requested_reason=null(),
            ended_at=null(),
        )
    )


def drivable() -> Select[tuple[object, ...]]:
    """Shared experiments that nobody drives though they run or wait, the most important first."""
    living = (sessions.c.id == _e.driver) & (sessions.c.state == constant(SessionState.LIVE))
    return (
        select(_e.id)
        .select_from(experiments.outerjoin(sessions, living))
        .where(_open, _shared, sessions.c.id.is_(None))
        .order_by(_e.priority.desc(), _e.created_at, _e.id)
    )


def driven() -> Select[tuple[object, ...]]:
    """Experiments that run, with the sessions that drive them or did so last."""
    return (
        select(_e.driver, _e.id)
        .where(_open, _e.state == constant(ExperimentState.RUNNING), _e.driver.is_not(None))
        .order_by(_e.created_at, _e.id)
    )


def request_state() -> Update:
    """Ask the driver to bring the experiment into a state."""
    return (
        update(experiments)
        .where(_e.id == bindparam("p_id"))
        .values(requested_state=bindparam("p_state"), requested_reason=bindparam("p_reason"))
    )


def requested_state() -> Select[tuple[object, ...]]:
    """What others have asked the driver to bring the experiment into."""
    return select(_e.requested_state, _e.requested_reason).where(_e.id == bindparam("p_id"))
