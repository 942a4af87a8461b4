"""The database that a storage argument names."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from morphml.clock import Clock, SystemClock
from morphml.errors import MissingExtraError, StorageError
from morphml.storage.address import is_url
from morphml.storage.database import Database
from morphml.storage.options import StoreOptions
from morphml.storage.sqlite.file import SqliteFile
from morphml.storage.sqlite.memory import SqliteMemory


def open_database(
    storage: str | Path | None,
    options: StoreOptions,
    *,
    clock: Clock | None = None,
    create: bool = True,
) -> Database:
    """An open database; arguments and errors are those of ``open_store``."""
    if is_url(storage):
        try:
            # 60 ms, an optional package, and of no use to a store in a file.
            from morphml.storage.postgres.server import PostgresDatabase  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtraError("a store on PostgreSQL", extra="postgres") from error
        return PostgresDatabase(str(storage), options, create=create)
    clock = clock or SystemClock()
    if storage is None or str(storage) == ":memory:":
        return SqliteMemory(options, clock)
    return SqliteFile(Path(storage), options, clock, create=create)


def schema_version(storage: str | Path) -> int | None:
    """The schema version of a store, as it lies; None where there is no store yet.

    Nothing is changed, and the version may be one that this code does not know.

    Raises:
        StorageError: when it cannot be looked at.
    """
    if is_url(storage):
        from morphml.storage.postgres.server import stored_version  # noqa: PLC0415  # as above

        return stored_version(str(storage))
    if not Path(storage).exists():
        return None
    try:
        with closing(sqlite3.connect(storage)) as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise StorageError(f"{storage}: cannot be read as a SQLite database: {error}") from error
    return version or None
