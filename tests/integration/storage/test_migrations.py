"""Migrations: numbered without gaps, complete, and run by opening a store."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DatabaseError

from morphml.errors import StorageError
from morphml.storage import StoreOptions, open_store
from morphml.storage import migrate as migrations
from morphml.storage.migrate import NEWEST, lay_tables, migrate, upgrade
from morphml.storage.opening import schema_version
from morphml.storage.sqlite.identity import APPLICATION_ID
from morphml.storage.tables import metadata
from morphml.testing.postgres import PrivateServer

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
    "execution_events",
    "job_output",
    "queue",
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


def store_of_version_1(path: Path) -> None:
    """A search that was killed under version 1, with one trial told and one under way."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as core:
        config.attributes["connection"] = core
        command.upgrade(config, "0001")
        for line in (
            "INSERT INTO sessions VALUES ('s', 'master', 'm', 'live', 1.0, 9.0, NULL)",
            "INSERT INTO experiments VALUES ('e', 'old', '{}', 'running', '', 9, 2, 3, 1, 'n', 's',"
            " 1.0, 2.0, 0.0, NULL, NULL, 1.0, NULL)",
            "INSERT INTO log VALUES ('e', 1, 'asked', 0, '{}', 1.0),"
            " ('e', 2, 'told', 0, '{}', 1.5), ('e', 3, 'asked', 1, '{}', 1.5)",
            "INSERT INTO trials VALUES"
            " ('e', 0, 'completed', '[0]', 'g', 'p0', '{}', '{\"a\":1.0}', 0.5, 1, 1.0, 1.5),"
            " ('e', 1, 'pending', '[1]', 'g', 'p1', '{}', NULL, 0.0, 0, 1.5, NULL)",
            "INSERT INTO classes VALUES (1, 'e', '{}')",
            "INSERT INTO tasks VALUES ('e', 1, 0, 'e-1-0', 'trial', 0, 1, 1, 0.0, 'leased', NULL,"
            " 0, 's', 't1', NULL, NULL, 1.5)",
            "INSERT INTO attempts VALUES"
            " ('e', 0, 0, 0, 't0', 'succeeded', 'w', 's', 1.0, 0.5, NULL, 1.5)",
            f"PRAGMA application_id = {APPLICATION_ID}",
            "PRAGMA user_version = 1",
        ):
            core.exec_driver_sql(line)
    engine.dispose()


def test_store_of_version_1_goes_on_under_this_one(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store_of_version_1(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        assert "mail" not in tables
    for _ in range(2):
        with contextlib.closing(open_store(path)) as store:
            (record,) = store.experiments()
            assert (record.id, record.next_number, record.seq, record.priority) == ("e", 2, 3, 5)
            assert [entry.seq for entry in store.log(record.id)] == [1, 2, 3]
            assert [trial.number for trial in store.trials(record.id)] == [0, 1]
            assert len(list(store.attempts(record.id))) == 1
            # It belongs to whoever began it, until somebody leaves it to the masters.
            assert store.cluster.drivable() == []
            session = store.open_session("new")
            assert [master.session for master in store.cluster.masters()] == [session]
            (task,) = store.cluster.tasks(record.id)
            assert (task.number, task.token, task.holder) == (1, None, None)
            store.close_session(session)
    with contextlib.closing(open_store(path)) as store:
        session = store.open_session("new")
        store.acquire_driver(record.id, session)
        (claimed,) = store.claim(record.id, session, 5)
        assert (claimed.number, claimed.attempts) == (1, 1)
    with (
        contextlib.closing(sqlite3.connect(path)) as migrated,
        contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as laid,
    ):
        lay_tables(laid)
        assert schema(migrated) == schema(laid)


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
    assert [process.wait(200) for process in started] == [0, 0, 0]
    with contextlib.closing(open_store(path, create=False)) as store:
        assert store.experiments() == []


def test_making_a_store_waits_longer_for_another_process_than_a_transaction(tmp_path: Path) -> None:
    """On a busy machine a migration takes many seconds."""
    path = tmp_path / "store.db"
    with contextlib.closing(
        sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(1.0, other.execute, ("COMMIT",))
        timer.start()
        try:
            with contextlib.closing(open_store(path, StoreOptions(busy_timeout_s=0.1))) as store:
                assert store.experiments() == []
        finally:
            timer.join()


def test_migration_on_a_server_may_be_silent_for_longer_than_other_transactions(
    postgres_server: PrivateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine it takes seconds to import what it needs."""

    def late(core: Connection) -> None:
        time.sleep(1.5)
        upgrade(core)

    monkeypatch.setattr("morphml.storage.postgres.schema.upgrade", late)
    url = postgres_server.new_database()
    open_store(url, StoreOptions(session_lease_s=2.0)).close()
    assert schema_version(url) == NEWEST


def test_disk_that_refuses_a_new_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**14, hard))
    try:
        with pytest.raises(StorageError, match=r"store\.db: .*free space"):
            open_store(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    open_store(path).close()


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
