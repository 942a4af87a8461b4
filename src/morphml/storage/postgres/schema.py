"""Laying and migrating the tables in a PostgreSQL database."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection as CoreConnection
from sqlalchemy import Table, Text, create_engine, text
from sqlalchemy.pool import StaticPool

from morphml.storage.migrate import NEWEST, upgrade
from morphml.storage.postgres.connection import TRANSACTION_TIMEOUT, Connection
from morphml.storage.postgres.identity import MARK, identify
from morphml.storage.sqlite.identity import Identity
from morphml.storage.tables import metadata

#: "MoML": the advisory lock that one migrating process holds at a time.
_LOCK: Final = 0x4D6F4D4C
#: Tables whose rows come and go, or are updated in every transaction.
_BUSY: Final = ("executions", "experiments", "jobs", "sessions", "tasks", "trials", "workers")
#: Keys beside the primary one that begin with the same column: table and columns.
_SECOND_KEYS: Final = (("trials", "experiment", "point_id"),)
#: Seconds that a migration waits for another process's, and says nothing in between: what it
#: imports and works out takes 0.2 s of one core, and of a busy one many.
_PATIENCE_S: Final = 120


def migrate(connection: Connection, where: str) -> None:
    """Bring the tables of an empty or older database to ``NEWEST`` in one transaction.

    Several processes may do so at once: the others wait, and find nothing to do.

    Args:
        connection: outside any transaction; stays open, and begins transactions by itself then.
        where: the database's URL without a password, for messages.

    Raises:
        StoreMismatch: when the database is another program's, or newer.
        psycopg.Error, sqlalchemy.exc.DBAPIError: when it cannot be changed; it is as before.
    """
    # Else each statement would be a transaction of its own, and the lock be gone at once.
    connection.autocommit = False
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool
    )
    with engine.begin() as core:
        core.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE_S}s'"))
        silence = f"SET LOCAL idle_in_transaction_session_timeout = '{_PATIENCE_S}s'"
        core.execute(text(silence))
        core.execute(text("SET LOCAL statement_timeout = 0"))
        if connection.info.server_version >= TRANSACTION_TIMEOUT:
            core.execute(text("SET LOCAL transaction_timeout = 0"))
        core.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if identify(connection, where, NEWEST) is Identity.CURRENT:
            return
        upgrade(core)
        for table in metadata.sorted_tables:
            if any(isinstance(column.type, Text) for column in table.columns):
                core.execute(text(_words_in_byte_order(core, table)))
        for name, first, second in _SECOND_KEYS:
            core.execute(text(_turned_round(name, first, second)))
        for name in _BUSY:
            core.execute(text(_kept_tidy(name)))
        core.execute(text(f"COMMENT ON TABLE alembic_version IS '{MARK}'"))


def _words_in_byte_order(core: CoreConnection, table: Table) -> str:
    """Ids and keys are compared by their bytes, as in SQLite, whatever the database's language.

    It is faster too, and an update of the system's languages breaks no index.
    """
    quote = core.dialect.identifier_preparer.quote
    columns = ", ".join(
        f'ALTER COLUMN {quote(column.name)} TYPE text COLLATE "C"'
        for column in table.columns
        if isinstance(column.type, Text)
    )
    return f"ALTER TABLE {quote(table.name)} {columns}"


def _turned_round(name: str, first: str, second: str) -> str:
    """In a small table a walk over all rows of an experiment looks as cheap as its primary key.

    The plan made then is kept while the table grows: 1.5 ms an update with 5,000 trials. Turned
    round, the second key is of no use for it.
    """
    key = f"uq_{name}_{first}_{second}"
    return (
        f"ALTER TABLE {name} DROP CONSTRAINT {key}, ADD CONSTRAINT {key} UNIQUE ({second}, {first})"
    )


def _kept_tidy(name: str) -> str:
    """Updates find room on their own page, and what is left behind goes before it adds up."""
    return (
        f"ALTER TABLE {name} SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, "
        "autovacuum_analyze_scale_factor = 0.01)"
    )
