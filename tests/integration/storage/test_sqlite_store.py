"""The SQLite store passes the stores' contract, and keeps what it stored."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

import pytest

from morphml.errors import StorageError
from morphml.search.changes import Changes
from morphml.search.experiment import ExperimentState
from morphml.storage import Durability, SqlStore, StoreOptions, open_store
from morphml.testing.clock import FakeClock
from morphml.testing.store_contract import (
    STORE_CONTRACT,
    Ask,
    Check,
    DriverScript,
    StoreCase,
    sample_spec,
)


@pytest.mark.parametrize("check", STORE_CONTRACT, ids=lambda check: check.__name__)
def test_sqlite_store_contract(check: Check, tmp_path: Path) -> None:
    clock = FakeClock()
    with contextlib.closing(open_store(tmp_path / "store.db", clock=clock)) as store:
        check(StoreCase(store=store, let_pass=clock.advance, lease_s=8.0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_store_that_is_closed_already_may_be_closed_again(path: Path) -> None:
    store = open_store(path)
    store.close()
    store.close()
    with pytest.raises(StorageError, match="this store was closed"):
        store.create_experiment(sample_spec())


def snapshot(store: SqlStore) -> list[object]:
    (record,) = store.experiments()
    return [
        (record.id, record.spec, record.budget, record.next_number, record.seq),
        list(store.trials(record.id)),
        list(store.attempts(record.id)),
        list(store.log(record.id)),
    ]


def fill(store: SqlStore) -> DriverScript:
    experiment = store.create_experiment(sample_spec())
    script = DriverScript(store, experiment, store.open_session("first"))
    first, second, _ = script.ask(3)
    script.tell(first)
    script.checkpoint(second, step=2)
    script.ask(2, Ask(leased=False))
    return script


@pytest.mark.parametrize("durability", Durability)
def test_reopened_store_has_what_was_stored(path: Path, durability: Durability) -> None:
    options = StoreOptions(durability=durability)
    with contextlib.closing(open_store(path, options)) as store:
        fill(store)
        before = snapshot(store)
    with contextlib.closing(open_store(path, options, create=False)) as store:
        assert snapshot(store) == before


@pytest.mark.parametrize(("durability", "code"), [(Durability.NORMAL, 1), (Durability.FULL, 2)])
def test_durability_reaches_the_connections(path: Path, durability: Durability, code: int) -> None:
    with contextlib.closing(open_store(path, StoreOptions(durability=durability))) as store:
        for turn in (store._database.writing(), store._database.beating()):
            found = turn._connection.execute("PRAGMA synchronous").fetchone()
            assert found == (code,)


def test_file_is_in_wal_mode_and_marked_as_ours(path: Path) -> None:
    open_store(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA application_id").fetchone() == (0x4D6F4D4C,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_killed_masters_tasks_are_free_at_once_for_the_next_process(path: Path) -> None:
    """With the lock in hand nobody else can be alive, so no lease has to run out."""
    store = open_store(path)
    script = fill(store)
    store.close()  # the sessions stay open in the file, as after kill -9
    with contextlib.closing(open_store(path)) as again:
        session = again.open_session("second")
        new = DriverScript(again, script.right.experiment, session)
        claimed = again.claim(script.right.experiment, session, 10)
        assert [task.number for task in claimed] == [1, 2, 3, 4]
        assert [task.attempts for task in claimed] == [1, 1, 0, 0]
        assert (new.number, new.seq) == (5, 6)


def test_second_process_reads_submits_and_asks_to_stop(path: Path) -> None:
    with (
        contextlib.closing(open_store(path)) as driving,
        contextlib.closing(open_store(path)) as visiting,
    ):
        script = fill(driving)
        experiment = script.right.experiment
        assert snapshot(visiting) == snapshot(driving)
        visiting.create_experiment(sample_spec(name="submitted"))
        assert [record.name for record in driving.experiments()] == ["submitted", "sample"]
        visiting.set_state(experiment, ExperimentState.PAUSED, "enough")
        assert driving.stop_requested(experiment)
        script.ask()
        assert visiting.experiment(experiment).next_number == 6


def test_session_is_renewed_while_another_thread_commits_without_pause(path: Path) -> None:
    """Renewals have a connection of their own: they wait for single transactions only."""
    with contextlib.closing(open_store(path)) as store:
        script = fill(store)
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                script.commit(Changes())

        writer = threading.Thread(target=write)
        writer.start()
        renewed = [store.renew_session(script.right.session) for _ in range(30)]
        stop.set()
        writer.join()
        assert renewed == [True] * 30


def test_reader_in_the_middle_of_a_log_does_not_stop_the_writer(path: Path) -> None:
    with contextlib.closing(open_store(path)) as store:
        script = fill(store)
        script.ask(3_000)
        reading = store.log(script.right.experiment)
        first = next(reading)
        script.ask(5)
        assert first.seq == 1
        assert sum(1 for _ in reading) == script.seq - 1
