"""Statements on what holds for the claims of jobs by all masters."""

from __future__ import annotations

from sqlalchemy import Select, Update, bindparam, case, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.elements import ColumnElement

from morphml.storage.expressions import database_now
from morphml.storage.tables import queue

_q = queue.c
_ZERO: ColumnElement[int] = literal_column("0")
_ONLY = _q.id == literal_column("1")
#: Seconds of its rate that may begin at once after a rest.
_BURST_S = "1.0"


def lay_queue() -> Insert:
    """The one row, unless it is there."""
    added = insert(queue).values(
        id=literal_column("1"),
        paused=_ZERO,
        draining=_ZERO,
        allowance=_ZERO,
        filled_at=database_now(),
    )
    return added.on_conflict_do_nothing()


def queue_settings() -> Select[tuple[object, ...]]:
    """What was set; no row where nothing ever was."""
    return select(_q.paused, _q.draining, _q.rate).where(_ONLY)


def set_paused() -> Update:
    """No job begins, or they do again."""
    return update(queue).where(_ONLY).values(paused=bindparam("p_on"))


def set_draining() -> Update:
    """No execution begins, or they do again."""
    return update(queue).where(_ONLY).values(draining=bindparam("p_on"))


def set_rate() -> Update:
    """So many jobs a second begin at most."""
    return (
        update(queue)
        .where(_ONLY)
        .values(rate=bindparam("p_rate"), allowance=literal_column("0"), filled_at=database_now())
    )


def fill_allowance() -> Update:
    """What may begin now; nobody else takes of it before this transaction is over."""
    rate = func.coalesce(_q.rate, literal_column("0"))
    filled = _q.allowance + (database_now() - _q.filled_at) * rate
    # A limit below one a second must come to a whole job some day.
    most = rate * literal_column(_BURST_S) + literal_column("1.0")
    return (
        update(queue)
        .where(_ONLY)
        .values(
            allowance=case((filled < most, filled), else_=most),
            filled_at=database_now(),
        )
        .returning(_q.allowance)
    )


def take_allowance() -> Update:
    """So many jobs begin."""
    return update(queue).where(_ONLY).values(allowance=_q.allowance - bindparam("p_taken"))
