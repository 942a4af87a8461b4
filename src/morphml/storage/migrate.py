"""Laying and migrating the tables of a store.

Migrations are Alembic's, numbered ``0001``, ``0002``, ... and run from this package. Alembic is
imported only when there is something to migrate: opening a store of this version costs nothing.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from morphml.storage.tables import metadata

#: The number of the last migration in ``migrations/versions``; a test compares the two.
NEWEST = 5


def migrate(connection: sqlite3.Connection, application_id: int) -> None:
    """Bring the tables of an empty or older file to ``NEWEST`` in one transaction.

    Two processes may do so at once: the second finds nothing to do.

    Args:
        connection: to the file, outside any transaction; stays open.
        application_id: mark of a MorphML store, for the file's header.

    Raises:
        sqlite3.Error, sqlalchemy.exc.DBAPIError: when the file cannot be changed; it is as before.
    """
    with _engine(connection).begin() as core:
        upgrade(core)
        core.exec_driver_sql(f"PRAGMA application_id = {application_id:d}")
        core.exec_driver_sql(f"PRAGMA user_version = {NEWEST:d}")


def upgrade(core: Connection) -> None:
    """Run the migrations that are missing, inside the transaction that is under way.

    Raises:
        sqlalchemy.exc.DBAPIError: when the database refuses one.
    """
    from alembic import command  # noqa: PLC0415  # 150 ms, and needed once in a store's life
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = core
    command.upgrade(config, "head")


def lay_tables(connection: sqlite3.Connection) -> None:
    """Make all tables of this version at once, for a database that will never be migrated."""
    with _engine(connection).begin() as core:
        metadata.create_all(core, checkfirst=False)


def _engine(connection: sqlite3.Connection) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    # The driver begins nothing by itself here, and DDL belongs into the transaction too.
    event.listen(engine, "begin", lambda core: core.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine
