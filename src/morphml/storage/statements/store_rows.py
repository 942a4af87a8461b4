"""Statements on the store as a whole."""

from __future__ import annotations

from sqlalchemy import Select, select

from morphml.storage.expressions import database_life, database_now


def now() -> Select[tuple[object, ...]]:
    """The database's time."""
    return select(database_now())


def life() -> Select[tuple[object, ...]]:
    """What changes when the database is another one, such as a standby that took over."""
    return select(database_life())
