"""Statements on locks with an owner and an end."""

from __future__ import annotations

from sqlalchemy import Delete, Select, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from morphml.storage.expressions import database_now
from morphml.storage.tables import locks

_l = locks.c
_its = _l.name == bindparam("p_name")
_owned = _l.owner == bindparam("p_owner")
_live = _l.expires_at > database_now()


def take_lock() -> ReturningInsert[tuple[object, ...]]:
    """Hold a lock that is free, has run out, or is one's own; no row where another holds it."""
    until = database_now() + bindparam("p_ttl_s")
    added = insert(locks).values(
        name=bindparam("p_name"), owner=bindparam("p_owner"), expires_at=until
    )
    return added.on_conflict_do_update(
        index_elements=[_l.name],
        set_={"owner": added.excluded.owner, "expires_at": added.excluded.expires_at},
        where=or_(_l.expires_at <= database_now(), _l.owner == added.excluded.owner),
    ).returning(_l.expires_at)


def extend_lock() -> ReturningUpdate[tuple[object, ...]]:
    """Hold one's own lock for longer; no row where it has run out."""
    return (
        update(locks)
        .where(_its, _owned, _live)
        .values(expires_at=database_now() + bindparam("p_ttl_s"))
        .returning(_l.expires_at)
    )


def release_lock() -> Delete:
    """Let go of one's own lock, as long as it has not run out."""
    return delete(locks).where(_its, _owned, _live)


def lock_of() -> Select[tuple[object, ...]]:
    """Who holds a lock that has not run out."""
    return select(_l.owner, _l.expires_at).where(_its, _live)


def drop_old_locks() -> Delete:
    """Locks that ran out leave."""
    return delete(locks).where(_l.expires_at <= database_now())
