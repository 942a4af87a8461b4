"""Statements on sessions."""

from __future__ import annotations

from sqlalchemy import Insert, Select, Update, bindparam, insert, null, select, update

from morphml.storage.expressions import checked, constant, database_now
from morphml.storage.states import SessionKind, SessionState
from morphml.storage.tables import experiments, sessions, tasks

_s = sessions.c


def add_session() -> Insert:
    """The life of a master begins."""
    return insert(sessions).values(
        id=bindparam("p_id"),
        kind=bindparam("p_kind"),
        name=bindparam("p_name"),
        state=constant(SessionState.LIVE),
        started_at=database_now(),
        expires_at=database_now() + bindparam("p_lease_s"),
    )


def renew() -> Update:
    """The one update on a timer; a session that others have ended stays ended."""
    return (
        update(sessions)
        .where(_s.id == bindparam("p_id"), checked(_s.state) == constant(SessionState.LIVE))
        .values(expires_at=database_now() + bindparam("p_lease_s"))
    )


def is_live() -> Select[tuple[object, ...]]:
    """The session, unless it has ended; nobody ends it before this transaction is over."""
    return (
        select(_s.id)
        .where(_s.id == bindparam("p_id"), checked(_s.state) == constant(SessionState.LIVE))
        .with_for_update(read=True)
    )


def close() -> Update:
    """A session ends in order."""
    return (
        update(sessions)
        .where(_s.id == bindparam("p_id"), _s.state == constant(SessionState.LIVE))
        .values(state=constant(SessionState.CLOSED), ended_at=database_now())
    )


def live_sessions() -> Select[tuple[object, ...]]:
    """Sessions that have not ended, and whether their lease has run out."""
    return (
        select(_s.id, (_s.expires_at < database_now()).label("late"))
        .where(_s.state == constant(SessionState.LIVE))
        .order_by(_s.expires_at)
    )


def fence_driven() -> Update:
    """A session that has ended stores nothing more as a driver, even where nobody took over yet.

    It waits for a transaction of that driver under way, so that its tasks are all seen after it.
    """
    return (
        update(experiments)
        .where(experiments.c.driver == bindparam("p_session"), experiments.c.nonce.is_not(None))
        .values(nonce=null())
    )


def tasks_held() -> Select[tuple[object, ...]]:
    """Attempts that a session holds, of whatever experiments."""
    return (
        select(tasks.c.owner, tasks.c.number, tasks.c.token)
        .where(tasks.c.holder == bindparam("p_session"), tasks.c.holder.is_not(None))
        .order_by(tasks.c.owner, tasks.c.number)
    )


def expire() -> Update:
    """A session ends because its lease ran out, unless it was renewed meanwhile."""
    return (
        update(sessions)
        .where(
            _s.id == bindparam("p_id"),
            _s.state == constant(SessionState.LIVE),
            _s.expires_at < database_now(),
        )
        .values(state=constant(SessionState.EXPIRED), ended_at=database_now())
    )


def bury() -> Update:
    """A session ends because its process is known to be dead."""
    return (
        update(sessions)
        .where(_s.id == bindparam("p_id"), _s.state == constant(SessionState.LIVE))
        .values(state=constant(SessionState.EXPIRED), ended_at=database_now())
    )


def announce() -> Update:
    """Where the master of a session is reached."""
    return (
        update(sessions)
        .where(_s.id == bindparam("p_id"), _s.state == constant(SessionState.LIVE))
        .values(address=bindparam("p_address"))
    )


def report() -> Update:
    """What the master of a session tells the others of itself."""
    return (
        update(sessions)
        .where(_s.id == bindparam("p_id"), _s.state == constant(SessionState.LIVE))
        .values(report=bindparam("p_report"))
    )


def live_masters() -> Select[tuple[object, ...]]:
    """Masters whose session has not ended, oldest first, with the seconds that their lease has."""
    left = (_s.expires_at - database_now()).label("left")
    return (
        select(_s.id, _s.name, _s.address, _s.started_at, left, _s.report)
        .where(_s.state == constant(SessionState.LIVE), _s.kind == constant(SessionKind.MASTER))
        .order_by(_s.started_at, _s.id)
    )
