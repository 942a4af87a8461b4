"""Statements on the log."""

from __future__ import annotations

from sqlalchemy import Insert, Select, bindparam, insert, select

from morphml.storage.tables import log

_l = log.c


def add_entry() -> Insert:
    """One entry under the sequence number that the fence gave."""
    return insert(log)


def entries_after() -> Select[tuple[object, ...]]:
    """The next entries of one experiment in order, at most ``p_limit`` of them."""
    return (
        select(_l.seq, _l.kind, _l.number, _l.body)
        .where(_l.experiment == bindparam("p_experiment"), _l.seq > bindparam("p_after"))
        .order_by(_l.seq)
        .limit(bindparam("p_limit"))
    )
