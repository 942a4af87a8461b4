"""Statements on what other processes ask of an experiment's driver."""

from __future__ import annotations

from sqlalchemy import Delete, Insert, Select, bindparam, delete, insert, select

from morphml.storage.expressions import database_now
from morphml.storage.tables import experiments, requests

_r = requests.c


def add_request() -> Insert:
    """A request, if there is such an experiment."""
    return insert(requests).from_select(
        ["experiment", "verb", "number", "made_at"],
        select(
            experiments.c.id,
            bindparam("p_verb"),
            bindparam("p_number"),
            database_now(),
        ).where(experiments.c.id == bindparam("p_experiment")),
    )


def requests_of() -> Select[tuple[object, ...]]:
    """Requests that the driver has not answered, oldest first."""
    return (
        select(_r.id, _r.verb, _r.number)
        .where(_r.experiment == bindparam("p_experiment"))
        .order_by(_r.id)
    )


def drop_request() -> Delete:
    """The driver has answered a request."""
    return delete(requests).where(_r.id == bindparam("p_id"))
