"""Statements on what masters write of their workers."""

from __future__ import annotations

from sqlalchemy import (
    Delete,
    Insert,
    Select,
    Update,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from morphml.scheduling.worker import WorkerState
from morphml.storage.expressions import checked, constant, database_now
from morphml.storage.states import SessionKind, SessionState
from morphml.storage.tables import sessions, workers

_w = workers.c
#: What other processes have asked of a worker; a new life of its id was asked nothing.
_ASKED = ("drain_asked_at", "drain_grace_s")
#: States in which a worker speaks to the master that writes its row.
_PRESENT = (WorkerState.JOINING, WorkerState.IDLE, WorkerState.BUSY, WorkerState.DRAINING)


def put_worker() -> Insert:
    """A worker's row, new or written over.

    A worker that went to another master is that one's: whoever lost it writes nothing any more.
    """
    # SQLite and PostgreSQL have the same words for this; the compilers of both take it.
    added = insert(workers)
    new = added.excluded
    return added.on_conflict_do_update(
        index_elements=["id"],
        set_={
            column.name: new[column.key]
            for column in workers.columns
            if column.name not in ("id", "joined_at", *_ASKED)
        }
        | {name: case((_w.incarnation == new.incarnation, _w[name])) for name in _ASKED},
        where=or_(
            _w.session == new.session, new.state.in_([constant(state) for state in _PRESENT])
        ),
    )


def all_workers() -> Select[tuple[object, ...]]:
    """All workers by name, how long each is silent, and whether its master's session lives."""
    living = (sessions.c.id == _w.session) & (sessions.c.state == constant(SessionState.LIVE))
    return (
        select(
            _w.id,
            _w.incarnation,
            _w.session,
            _w.name,
            _w.state,
            _w.offers,
            _w.figures,
            _w.joined_at,
            (database_now() - _w.seen_at).label("silent_s"),
            sessions.c.id.is_not(None).label("live"),
            _w.drain_asked_at,
        )
        .select_from(workers.outerjoin(sessions, living))
        .order_by(_w.name, _w.id)
    )


def elsewhere() -> Select[tuple[object, ...]]:
    """What they offer and figures of the workers of live masters, but of one, that stay."""
    return (
        select(_w.offers, _w.figures)
        .select_from(workers.join(sessions, sessions.c.id == _w.session))
        .where(
            sessions.c.state == constant(SessionState.LIVE),
            checked(sessions.c.kind) == constant(SessionKind.MASTER),
            _w.session != bindparam("p_session"),
            checked(_w.state) != constant(WorkerState.DRAINING),
        )
    )


def ask_to_drain() -> Update:
    """Somebody wants a worker gone; the first hour of the asking stays."""
    return (
        update(workers)
        .where(_w.id == bindparam("p_id"))
        .values(
            drain_asked_at=func.coalesce(_w.drain_asked_at, database_now()),
            drain_grace_s=bindparam("p_grace_s"),
        )
    )


def asked_to_drain() -> Select[tuple[object, ...]]:
    """A session's workers that somebody wants gone, and the seconds for what runs."""
    return select(_w.id, _w.drain_grace_s).where(
        _w.session == bindparam("p_session"), _w.drain_asked_at.is_not(None)
    )


def drop_silent_workers() -> Delete:
    """Workers leave that nobody has heard of for long."""
    return delete(workers).where(_w.seen_at < database_now() - bindparam("p_kept_s"))
