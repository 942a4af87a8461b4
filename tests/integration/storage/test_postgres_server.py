"""Which databases are opened, what is said of the others, and how connections are used."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from morphml.errors import StorageError, StoreMismatch, StoreUnavailable
from morphml.ids import ExperimentId
from morphml.storage import Durability, SqlStore, StoreOptions, open_store
from morphml.storage.migrate import NEWEST
from morphml.storage.opening import schema_version
from morphml.storage.postgres.server import PostgresDatabase
from morphml.storage.statements import experiment_rows, trial_rows
from morphml.storage.tables import metadata
from morphml.testing.postgres import (
    PrivateServer,
    ServerClock,
    embedded_binaries,
    private_server,
)
from morphml.testing.store_contract import STORE_CONTRACT, StoreCase, sample_spec

SECRET = "s3cret"


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    with contextlib.closing(open_store(postgres_url, StoreOptions(connections=2))) as store:
        yield store


def database_of(store: SqlStore) -> PostgresDatabase:
    database = store._database
    assert isinstance(database, PostgresDatabase)
    return database


def one(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


# --- which databases ---------------------------------------------------------------------------


def test_empty_database_becomes_a_store_and_is_known_again(postgres_server: PrivateServer) -> None:
    url = postgres_server.new_database()
    assert schema_version(url) is None
    with pytest.raises(StorageError, match="no store in this database"):
        open_store(url, create=False)
    assert schema_version(url) is None
    open_store(url).close()
    assert schema_version(url) == NEWEST
    open_store(url, create=False).close()


def test_no_migration_is_missing(postgres_url: str) -> None:
    engine = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_words_are_compared_by_their_bytes(postgres_url: str) -> None:
    other = one(
        postgres_url,
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public'"
        " AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'",
    )
    assert other == 0


def test_database_of_another_program_is_left_alone(postgres_server: PrivateServer) -> None:
    url = postgres_server.new_database()
    postgres_server.execute("CREATE TABLE accounts (id int)", url.rpartition("/")[2])
    for _ in range(2):
        with pytest.raises(StoreMismatch, match="another program \\(1 tables\\)"):
            open_store(url)
    assert one(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 1


def test_store_may_lie_in_a_schema_beside_another_program(postgres_server: PrivateServer) -> None:
    url = postgres_server.new_database()
    name = url.rpartition("/")[2]
    postgres_server.execute("CREATE TABLE accounts (id int)", name)
    postgres_server.execute("CREATE SCHEMA search", name)
    with contextlib.closing(open_store(f"{url}?options=-csearch_path%3Dsearch")) as store:
        store.create_experiment(sample_spec())
        assert one(url, "SELECT count(*) FROM search.experiments") == 1


def test_store_of_a_newer_version_is_left_alone(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9000'")
    with pytest.raises(StoreMismatch, match="has schema version 9000"):
        open_store(postgres_url)
    assert schema_version(postgres_url) == 9000


def test_processes_and_threads_that_lay_the_same_store_at_once_all_succeed(
    postgres_server: PrivateServer,
) -> None:
    url = postgres_server.new_database()
    code = f"from morphml.storage import open_store; open_store({url!r}).close()"
    started = [subprocess.Popen([sys.executable, "-W", "error", "-c", code]) for _ in range(2)]
    faults: list[Exception] = []

    def lay() -> None:
        try:
            open_store(url).close()
        except StorageError as error:
            faults.append(error)

    threads = [threading.Thread(target=lay) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(200) for process in started] == [0, 0]
    assert faults == []
    with contextlib.closing(open_store(url, create=False)) as store:
        assert store.experiments() == []


def test_failed_migration_leaves_the_database_as_it_was(postgres_server: PrivateServer) -> None:
    """Tables are laid in one transaction: here a late one is refused, whose name is a type's."""
    url = postgres_server.new_database()
    postgres_server.execute("CREATE TYPE bundles AS ENUM ('taken')", url.rpartition("/")[2])
    with pytest.raises(StorageError, match="bundles"):
        open_store(url)
    assert one(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def test_opening_a_current_store_imports_no_alembic(postgres_url: str) -> None:
    code = (
        "import sys; from morphml.storage import open_store;"
        f"open_store({postgres_url!r}).close(); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- what is said ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("/postgres?", "/nowhere?"), "no such database"),
        (("//postgres@", "//stranger@"), "no such user"),
        (("127.0.0.1", "no-such-host.invalid"), "cannot be reached"),
        (("//postgres@", "//post%zzgres@"), "cannot be read"),
        (("postgresql:", "mysql:"), "no store is opened from such a URL"),
    ],
)
def test_wrong_url_is_told_without_its_password(
    postgres_server: PrivateServer, change: tuple[str, str], said: str
) -> None:
    url = f"{postgres_server.uri()}?application_name=test".replace(*change).replace(
        "@", f":{SECRET}@", 1
    )
    with pytest.raises(StorageError, match=said) as caught:
        open_store(url)
    told = [str(caught.value)]
    cause = caught.value.__cause__ or caught.value.__context__
    while cause is not None:
        told.append(str(cause))
        cause = cause.__cause__
    assert SECRET not in " ".join(told), told


def test_server_that_is_not_there_is_told_at_once(postgres_server: PrivateServer) -> None:
    url = postgres_server.uri().replace(str(postgres_server.port), "1")
    with pytest.raises(StoreUnavailable) as caught:
        open_store(url)
    assert caught.value.retryable


def test_rows_locked_for_too_long_are_told(postgres_url: str) -> None:
    options = StoreOptions(busy_timeout_s=0.3)
    with contextlib.closing(open_store(postgres_url, options)) as store:
        experiment = store.create_experiment(sample_spec())
        with psycopg.connect(postgres_url) as other:
            other.execute("SELECT 1 FROM experiments FOR UPDATE")
            with pytest.raises(StoreUnavailable, match="busy_timeout_s"):
                store.extend_budget(experiment, 5)
        store.extend_budget(experiment, 5)
        assert store.experiment(experiment).budget == 5


# --- connections -------------------------------------------------------------------------------


def test_connections_are_kept_and_shared(store: SqlStore, postgres_url: str) -> None:
    session = store.open_session("one")
    for _ in range(20):
        store.experiments()
        store.renew_session(session)
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'morphml' "
    assert one(postgres_url, f"{mine} AND datname = current_database()") == 2


def test_more_threads_than_connections_take_turns(store: SqlStore, postgres_url: str) -> None:
    made: list[ExperimentId] = []

    def make() -> None:
        made.extend(store.create_experiment(sample_spec()) for _ in range(10))

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {record.id for record in store.experiments()} == set(made)
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'morphml' "
    assert one(postgres_url, f"{mine} AND datname = current_database()") == 2


def test_connections_that_are_all_in_use_are_told(postgres_url: str) -> None:
    options = StoreOptions(connections=1, busy_timeout_s=0.2)
    with contextlib.closing(open_store(postgres_url, options)) as store:
        with store._database.writing(), pytest.raises(StoreUnavailable, match="were in use"):
            store.experiments()
        assert store.experiments() == []


def test_interrupted_transaction_is_undone_and_its_connection_goes_on(
    store: SqlStore, postgres_url: str
) -> None:
    experiment = store.create_experiment(sample_spec())
    with pytest.raises(KeyboardInterrupt), store._database.writing() as run:
        assert run.run(experiment_rows.set_budget, {"p_id": experiment, "p_trials": 7})
        raise KeyboardInterrupt
    assert store.experiment(experiment).budget == sample_spec().budget.trials
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'morphml' "
    assert one(postgres_url, f"{mine} AND datname = current_database()") == 1


def test_error_of_a_statement_that_nobody_waited_for_undoes_the_transaction(
    store: SqlStore, postgres_url: str
) -> None:
    experiment = store.create_experiment(sample_spec())
    with pytest.raises(StorageError, match="not there"), store._database.writing() as run:
        run.tell(experiment_rows.set_budget, [{"p_id": experiment, "p_trials": 7}])
        row = ("nobody", 0, "pending", "[]", None, "p", "{}", None, 0.0, 0, 0.0, None)
        run.add(trial_rows.add_trial, [row])
    assert store.experiment(experiment).budget == sample_spec().budget.trials
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'morphml' "
    assert one(postgres_url, f"{mine} AND datname = current_database()") == 1, "and is kept"


def test_forked_child_may_not_use_its_parents_store(store: SqlStore) -> None:
    read, write = os.pipe()
    forked = os.fork()
    if forked == 0:
        try:
            store.experiments()
        except StorageError as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.waitpid(forked, 0)
    os.close(write)
    assert b"before a fork" in os.read(read, 1_000)
    os.close(read)
    assert store.experiments() == []


def test_closed_store_may_be_closed_again(postgres_url: str) -> None:
    store = open_store(postgres_url)
    store.close()
    store.close()
    with pytest.raises(StorageError, match="was closed"):
        store.experiments()


@pytest.mark.parametrize(
    ("durability", "server", "kept"),
    [
        (Durability.NORMAL, "off", "off"),
        (Durability.FULL, "off", "on"),
        (Durability.FULL, "remote_apply", "remote_apply"),
    ],
)
def test_durability_never_weakens_what_the_server_is_set_to(
    postgres_server: PrivateServer,
    postgres_url: str,
    durability: Durability,
    server: str,
    kept: str,
) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres_server.execute(f"ALTER DATABASE {name} SET synchronous_commit = {server}")
    with contextlib.closing(open_store(postgres_url, StoreOptions(durability=durability))) as store:
        pool = database_of(store)._pool
        connection = pool.take()
        row = connection.execute("SHOW synchronous_commit").fetchone()
        pool.give(connection)
        assert row == (kept,)


# --- an older server ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def older_server() -> Iterator[PrivateServer]:
    binaries = Path("/usr/lib/postgresql/15/bin")
    if not (binaries / "postgres").exists():
        pytest.skip("PostgreSQL 15 (Debian 12: postgresql-15) is not installed")
    with private_server(fsync=False, binaries=binaries) as server:
        yield server


@pytest.mark.slow
def test_contract_holds_on_an_older_server(older_server: PrivateServer) -> None:
    template = older_server.new_database()
    open_store(template).close()
    for check in STORE_CONTRACT:
        if check.__name__ == "long_lists_are_complete":  # takes seconds
            continue
        name = older_server.new_database(template.rpartition("/")[2]).rpartition("/")[2]
        clock = ServerClock(older_server, name)
        with contextlib.closing(open_store(older_server.uri(name))) as store:
            check(StoreCase(store=store, let_pass=clock.advance, lease_s=8.0))


@pytest.mark.slow
def test_older_server_ends_the_transaction_of_a_stopped_master(older_server: PrivateServer) -> None:
    """It cannot limit whole transactions, but those that say nothing more."""
    options = StoreOptions(session_lease_s=4.0)
    with contextlib.closing(open_store(older_server.new_database(), options)) as store:
        experiment = store.create_experiment(sample_spec())
        turn = store._database.writing()
        run = turn.__enter__()
        values = {"p_id": experiment, "p_trials": 7}
        assert run.run(experiment_rows.set_budget, values) == 1
        store.extend_budget(experiment, 8)  # would hang: the other ends behind it
        with pytest.raises(StoreUnavailable):
            turn.__exit__(None, None, None)
        assert store.experiment(experiment).budget == 8


# --- a server of one's own -----------------------------------------------------------------------


@pytest.fixture
def laid() -> Iterator[PrivateServer]:
    """A server that has not been started."""
    folder = Path(tempfile.mkdtemp(prefix="morphml-pg-"))  # short enough for a socket
    server = PrivateServer(folder, embedded_binaries(), fsync=False)
    yield server
    server.abandon()
    shutil.rmtree(folder, ignore_errors=True)


def test_server_whose_port_somebody_took_starts_elsewhere_and_waits_for_it_later(
    laid: PrivateServer,
) -> None:
    with socket.create_server(("127.0.0.1", laid.port)):
        taken = laid.port
        laid.start()
    assert laid.port != taken
    port = laid.port
    assert one(laid.uri(), "SELECT 7") == 7
    laid.stop()
    holder = socket.create_server(("127.0.0.1", port))
    refused = laid.log.read_text().count("Address already in use")

    def leave() -> None:
        while laid.log.read_text().count("Address already in use") == refused:
            time.sleep(0.01)
        holder.close()

    leaving = threading.Thread(target=leave)
    leaving.start()
    laid.start()  # in this thread: the server ends with the one that started it
    leaving.join()
    assert laid.port == port
    assert one(laid.uri(), "SELECT 7") == 7
