"""Statements on workers that speak REST: each has a session of its own."""

from __future__ import annotations

from sqlalchemy import Select, Update, bindparam, select, update

from morphml.scheduling.worker import WorkerState
from morphml.storage.expressions import checked, constant, database_now
from morphml.storage.states import SessionKind, SessionState
from morphml.storage.tables import sessions, workers

_w = workers.c
_s = sessions.c


def worker_of() -> Select[tuple[object, ...]]:
    """A worker's row, the kind of its session where that lives, and what its lease has left.

    Nobody changes the row before this transaction is over.
    """
    living = (_s.id == _w.session) & (checked(_s.state) == constant(SessionState.LIVE))
    return (
        select(
            _w.incarnation,
            _w.session,
            _w.name,
            _w.state,
            _w.offers,
            _w.figures,
            _w.joined_at,
            (database_now() - _w.seen_at).label("silent_s"),
            _w.drain_asked_at,
            _s.kind,
        )
        .select_from(workers.outerjoin(sessions, living))
        .where(_w.id == bindparam("p_id"))
        .with_for_update(of=workers)
    )


def living_workers() -> Select[tuple[object, ...]]:
    """Session, offers and figures of the workers that live by their own heartbeat, and stay."""
    return (
        select(_w.session, _w.offers, _w.figures)
        .select_from(workers.join(sessions, _s.id == _w.session))
        .where(
            _s.state == constant(SessionState.LIVE),
            checked(_s.kind) == constant(SessionKind.WORKER),
            _w.drain_asked_at.is_(None),
        )
    )


def late_workers() -> Select[tuple[object, ...]]:
    """Sessions of workers that were silent for longer than they live without a heartbeat."""
    return select(_s.id).where(
        _s.state == constant(SessionState.LIVE),
        _s.expires_at < database_now(),
        checked(_s.kind) == constant(SessionKind.WORKER),
    )


def renew_worker() -> Update:
    """The lease of a worker's session; one that others have ended stays ended."""
    return (
        update(sessions)
        .where(
            _s.id == bindparam("p_id"),
            checked(_s.state) == constant(SessionState.LIVE),
            checked(_s.kind) == constant(SessionKind.WORKER),
        )
        .values(expires_at=database_now() + bindparam("p_lease_s"))
    )


def beat_worker() -> Update:
    """A sign of life with what the worker does."""
    return (
        update(workers)
        .where(_w.id == bindparam("p_id"))
        .values(
            state=bindparam("p_state"),
            figures=bindparam("p_figures"),
            seen_at=database_now(),
        )
    )


def worker_left() -> Update:
    """A worker says good-bye; its row stays a day for people."""
    return (
        update(workers)
        .where(_w.id == bindparam("p_id"))
        .values(state=constant(WorkerState.GONE), seen_at=database_now())
    )
