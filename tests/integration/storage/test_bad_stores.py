"""Files that are no store of ours, disks that refuse: a clear error, and nothing stored is lost."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from morphml.errors import (
    MorphError,
    StorageError,
    StoreInUse,
    StoreMismatch,
    StoreUnavailable,
)
from morphml.storage import SqlStore, StoreOptions, open_store
from morphml.testing.store_contract import DriverScript, sample_spec

BIG = 3_000


def driven(store: SqlStore) -> DriverScript:
    experiment = store.create_experiment(sample_spec())
    return DriverScript(store, experiment, store.open_session("first"))


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_whole(path: Path, script: DriverScript) -> None:
    """All that was acknowledged is there, and the file is sound."""
    with contextlib.closing(open_store(path)) as store:
        experiment = script.right.experiment
        assert store.experiment(experiment).next_number == script.number
        assert len(list(store.trials(experiment))) == script.number
        assert [e.seq for e in store.log(experiment)] == list(range(1, script.seq + 1))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# --- not ours ------------------------------------------------------------------------------------


def other_program(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.execute("INSERT INTO recipes VALUES ('soup')")
        connection.commit()


def text_file(path: Path) -> None:
    path.write_text("name,value\n" * 1_000)


def newer_schema(path: Path) -> None:
    open_store(path).close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (other_program, "not a MorphML store.*another program.*name another file"),
        (text_file, "not a MorphML store.*no SQLite database"),
        (newer_schema, r"schema version 99.*up to \d+.*upgrade MorphML"),
    ],
)
def test_file_that_is_not_ours_is_refused_and_left_unchanged(
    make: object, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "store.db"
    make(path)
    before = fingerprint(path)
    for create in (True, False):
        with pytest.raises(StoreMismatch, match=message) as caught:
            open_store(path, create=create)
        assert str(path) in str(caught.value)
    assert fingerprint(path) == before
    assert [file.name for file in tmp_path.iterdir()] == ["store.db"]


def test_folder_or_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        open_store(tmp_path / "missing.db", create=False)
    assert not (tmp_path / "missing.db").exists()
    with pytest.raises(StorageError, match="cannot be opened"):
        open_store(tmp_path)
    with pytest.raises(StorageError, match=r"cannot be opened.*folder exists"):
        open_store(tmp_path / "no-folder" / "store.db")


def test_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch()
    with contextlib.closing(open_store(path)) as store:
        assert store.experiments() == []


def test_damaged_file_says_how_to_save_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with contextlib.closing(open_store(path)) as store:
        driven(store).ask(2_000)
    with path.open("r+b") as file:
        file.seek(8_192)
        file.write(b"\xde\xad" * 200_000)
    with (
        pytest.raises(StorageError, match=r"damaged.*\.recover"),
        contextlib.closing(open_store(path)) as store,
    ):
        for record in store.experiments():
            list(store.trials(record.id))
            list(store.log(record.id))


# --- in use --------------------------------------------------------------------------------------


def test_second_claiming_store_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with contextlib.closing(open_store(path)) as one, contextlib.closing(open_store(path)) as two:
        first = one.open_session("first")
        second = one.open_session("second")
        with pytest.raises(StoreInUse, match=rf"process {os.getpid()} drives searches"):
            two.open_session("third")
        one.close_session(first)
        with pytest.raises(StoreInUse):
            two.open_session("third")
        one.close_session(second)
        two.open_session("third")
        with pytest.raises(StoreInUse):
            one.open_session("fourth")


# Python 3.13 warns of connections that were forgotten, as they are here.
@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
def test_forgotten_store_lets_others_claim(tmp_path: Path) -> None:
    """A notebook that lost its last reference must not keep the lock until it ends."""
    path = tmp_path / "store.db"
    store = open_store(path)
    store.open_session("first")
    del store
    gc.collect()
    with contextlib.closing(open_store(path)) as again:
        again.open_session("second")


def test_long_write_of_another_process_is_waited_for_and_then_named(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with contextlib.closing(open_store(path, StoreOptions(busy_timeout_s=0.2))) as store:
        script = driven(store)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="kept the store locked") as caught:
                script.ask()
            assert caught.value.retryable
            assert store.experiment(script.right.experiment).next_number == 0
            other.execute("ROLLBACK")
        script.ask()
    assert_whole(path, script)


def test_statement_that_runs_too_long_is_broken_off(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with contextlib.closing(open_store(path, StoreOptions(statement_timeout_s=1e-6))) as store:
        script = None
        with pytest.raises(StoreUnavailable, match="longer than statement_timeout_s"):
            script = driven(store)
            script.ask(10_000)
    if script is not None:
        assert_whole(path, script)


# --- disks that refuse ---------------------------------------------------------------------------


def fill_until_refused(script: DriverScript) -> MorphError:
    while script.number < 200_000:
        try:
            script.ask(200)
        except StorageError as error:
            return error
    raise AssertionError("the disk never refused")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk_keeps_what_was_stored_and_goes_on_when_freed(small_disk: Path) -> None:
    path = small_disk / "store.db"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2 * 2**20))
    with contextlib.closing(open_store(path)) as store:
        script = driven(store)
        error = fill_until_refused(script)
        assert isinstance(error, StoreUnavailable)
        assert error.retryable
        assert "the disk is full" in str(error)
        assert "free space" in str(error)
        assert script.number > 200
        assert store.experiment(script.right.experiment).next_number == script.number
        with pytest.raises(StoreUnavailable):
            script.ask(2_000)
        ballast.unlink()
        script.ask(100)
    assert_whole(path, script)


def test_file_size_limit_keeps_what_was_stored(tmp_path: Path) -> None:
    """A quota or ``ulimit -f``: the disk refuses writes beyond a size."""
    path = tmp_path / "store.db"
    with contextlib.closing(open_store(path)) as store:
        script = driven(store)
        script.ask(100)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 * 2**20, hard))
        try:
            error = fill_until_refused(script)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert isinstance(error, StoreUnavailable)
        assert "free space, quota and file size limits" in str(error) or "full" in str(error)
        script.ask(100)
    assert_whole(path, script)


def test_database_at_its_largest_size_keeps_what_was_stored(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with contextlib.closing(open_store(path)) as store:
        script = driven(store)
        store._database.writing()._connection.execute("PRAGMA max_page_count = 300")
        assert "the disk is full" in str(fill_until_refused(script))
    assert_whole(path, script)


def test_read_only_disk_is_named_and_can_be_read(small_disk: Path) -> None:
    path = small_disk / "store.db"
    with contextlib.closing(open_store(path)) as store:
        script = driven(store)
        script.ask(10)
        experiment = script.right.experiment
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with contextlib.closing(open_store(path)) as store:
        assert store.experiment(experiment).next_number == 10
        with pytest.raises(StorageError, match=r"read-only.*writable") as caught:
            store.create_experiment(sample_spec())
        assert not caught.value.retryable
        with pytest.raises(StorageError, match="writable"):
            store.open_session("second")
    with pytest.raises(StorageError, match=r"cannot be opened|read-only"):
        open_store(small_disk / "new.db")
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert_whole(path, script)


def test_store_that_was_not_closed_is_not_read_halfway_on_a_read_only_disk(
    small_disk: Path,
) -> None:
    """Its last transactions lie in the write-ahead log: to show it without them would be a lie."""
    path = small_disk / "store.db"
    store = open_store(path)
    driven(store).ask(10)
    for name in ("store.db", "store.db-wal"):
        (small_disk / f"left-{name}").write_bytes((small_disk / name).read_bytes())
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StorageError, match="copy all its files"):
        open_store(small_disk / "left-store.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write read-only files")
def test_read_only_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    path.chmod(0o444)
    with contextlib.closing(open_store(path)) as store, pytest.raises(StorageError, match="read"):
        store.create_experiment(sample_spec())
