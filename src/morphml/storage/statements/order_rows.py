"""Statements on what drivers order of attempts that other masters hold."""

from __future__ import annotations

from sqlalchemy import Delete, Insert, Select, and_, bindparam, delete, exists, insert, select

from morphml.storage.expressions import database_now
from morphml.storage.tables import orders, tasks

_o = orders.c
_t = tasks.c
#: The task whose live attempt an order is about.
_its_task = and_(
    _t.owner == _o.experiment,
    _t.number == _o.number,
    _t.token == _o.token,
)


def add_order() -> Insert:
    """One order."""
    return insert(orders).values(
        experiment=bindparam("p_owner"),
        number=bindparam("p_number"),
        token=bindparam("p_token"),
        verb=bindparam("p_order"),
        sent_at=database_now(),
    )


def orders_for() -> Select[tuple[object, ...]]:
    """Orders about attempts that a session holds, oldest first."""
    return (
        select(_o.id, _o.experiment, _o.number, _o.token, _o.verb)
        .select_from(orders.join(tasks, _its_task))
        .where(_t.holder == bindparam("p_session"))
        .order_by(_o.id)
    )


def drop_order() -> Delete:
    """An order was passed on."""
    return delete(orders).where(_o.id == bindparam("p_id"))


def drop_orders_without_attempt() -> Delete:
    """Orders about attempts that are over leave."""
    return delete(orders).where(~exists().where(_its_task, _t.holder.is_not(None)))
