"""Migrations: numbered without gaps, complete, and run by opening a store."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DatabaseError

from morphml.errors import StorageError
from morphml.storage import migrate as migrations
from morphml.storage import open_store
from morphml.storage.migrate import NEWEST, lay_tables, migrate
from morphml.storage.sqlite.identity import APPLICATION_ID
from morphml.storage.tables import metadata

#: The tables that the promises of the store name.
PROMISED = {
    "experiments",
    "log",
    "trials",
    "tasks",
    "attempts",
    "sessions",
    "workers",
    "workflows",
    "executions",
    "jobs",
    "job_edges",
    "artifacts",
    "locks",
    "knowledge",
}


def schema(connection: sqlite3.Connection) -> dict[tuple[str, str], list[str]]:
    """Words of each table and index, sorted: constraints may be written in another order."""
    rows = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'"
        " AND name NOT LIKE 'sqlite_autoindex_alembic%'"
    ).fetchall()
    return {(kind, name): sorted((sql or "").replace(",", " ").split()) for kind, name, sql in rows}


def test_migrated_and_laid_tables_are_the_same(tmp_path: Path) -> None:
    migrated, laid = (
        sqlite3.connect(tmp_path / name, isolation_level=None) for name in ("a.db", "b.db")
    )
    with contextlib.closing(migrated), contextlib.closing(laid):
        migrate(migrated, APPLICATION_ID)
        lay_tables(laid)
        assert schema(migrated) == schema(laid)
        names = {name for kind, name in schema(laid) if kind == "table"}
        assert names >= PROMISED


def test_no_migration_is_missing(tmp_path: Path) -> None:
    """A change of the tables without a migration shows here."""
    path = tmp_path / "store.db"
    open_store(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_migrations_are_numbered_in_one_line_up_to_the_newest() -> None:
    config = Config()
    folder = Path(migrations.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    revisions = [s.revision for s in ScriptDirectory.from_config(config).walk_revisions()]
    assert revisions == [f"{number:04d}" for number in range(NEWEST, 0, -1)]


def test_failed_migration_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Tables are laid in one transaction: here the mark at its end is refused."""
    path = tmp_path / "store.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.set_authorizer(
            lambda action, what, *_: (
                sqlite3.SQLITE_DENY
                if (action, what) == (sqlite3.SQLITE_PRAGMA, "user_version")
                else sqlite3.SQLITE_OK
            )
        )
        with pytest.raises(DatabaseError, match="not authorized"):
            migrate(connection, APPLICATION_ID)
        connection.set_authorizer(None)
        assert schema(connection) == {}
    open_store(path).close()


def test_processes_that_make_the_same_store_at_once_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    code = f"from morphml.storage import open_store; open_store({str(path)!r}).close()"
    started = [subprocess.Popen([sys.executable, "-W", "error", "-c", code]) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    with contextlib.closing(open_store(path, create=False)) as store:
        assert store.experiments() == []


def test_threads_that_make_the_same_store_at_once_all_succeed(tmp_path: Path) -> None:
    faults: list[Exception] = []

    def make(path: Path, start: threading.Barrier) -> None:
        start.wait()
        try:
            open_store(path).close()
        except StorageError as error:
            faults.append(error)

    for round_ in range(5):
        start = threading.Barrier(4)
        arguments = (tmp_path / f"{round_}.db", start)
        threads = [threading.Thread(target=make, args=arguments) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert faults == []


def test_opening_a_current_store_imports_no_alembic(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    code = (
        "import sys; from morphml.storage import open_store;"
        f"open_store({str(path)!r}).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
