"""Real processes, really killed: what was acknowledged is there, and the next one goes on."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from morphml.errors import StoreInUse
from morphml.ids import ExperimentId
from morphml.search.changes import AttemptResult
from morphml.search.experiment import TrialState
from morphml.storage import open_store
from morphml.testing.store_contract import DriverScript, sample_spec

CHILD = Path(__file__).with_name("driving_child.py")
KILLS = 6


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    with contextlib.closing(open_store(path)) as store:
        store.create_experiment(sample_spec())
    return path


@contextlib.contextmanager
def child(path: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(CHILD), str(path), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def assert_sound(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def only_experiment(path: Path) -> ExperimentId:
    with contextlib.closing(open_store(path)) as store:
        (record,) = store.experiments()
        return record.id


@pytest.mark.parametrize("durability", ["normal", pytest.param("full", marks=pytest.mark.slow)])
def test_killed_driver_loses_nothing_that_was_acknowledged(path: Path, durability: str) -> None:
    """Each round kills the driver in the middle of its commits and starts the next."""
    moments = random.Random(7)
    acknowledged = 0
    for _ in range(KILLS):
        with child(path, "drive", durability) as process:
            first = int(line(process.stdout))
            assert first >= acknowledged, "the next process starts behind what was acknowledged"
            told = [int(line(process.stdout)) for _ in range(4)]  # it is in the middle of them
            time.sleep(moments.uniform(0.0, 0.15))
            process.send_signal(signal.SIGKILL)
            assert process.stdout is not None
            told += [int(word) for word in process.stdout.read().split("\n")[:-1] if word]
            acknowledged = max([first, *told])
    assert acknowledged > KILLS, "the children went on from each other"
    with contextlib.closing(open_store(path)) as store:
        (record,) = store.experiments()
        trials = list(store.trials(record.id))
        assert [trial.number for trial in trials] == list(range(record.next_number))
        assert record.next_number >= acknowledged
        done = [trial for trial in trials if trial.state is TrialState.COMPLETED]
        assert len(done) >= acknowledged - KILLS - 1
        entries = [entry.seq for entry in store.log(record.id)]
        assert entries == list(range(1, record.seq + 1))
        ends = [a.number for a in store.attempts(record.id) if a.result is AttemptResult.SUCCEEDED]
        assert len(ends) == len(set(ends)), "a result was stored twice"
        assert sorted(ends) == [trial.number for trial in done]
    assert_sound(path)


def test_next_process_drives_on_at_once_and_runs_again_what_was_in_the_air(path: Path) -> None:
    with child(path, "hold") as process:
        assert line(process.stdout) == "1"
        with contextlib.closing(open_store(path)) as store, pytest.raises(StoreInUse):
            store.open_session("too early")
        process.kill()
        process.wait()
    with contextlib.closing(open_store(path)) as store:
        (record,) = store.experiments()
        # Refused if it had to wait for a lease to run out.
        script = DriverScript(store, record.id, store.open_session("next"))
        (again,) = store.claim(record.id, script.right.session, 10)
        assert (again.number, again.attempts) == (0, 1)
        (lost,) = store.attempts(record.id)
        assert lost.result is AttemptResult.LOST
    assert_sound(path)


def test_stopped_driver_can_commit_nothing_when_it_wakes(path: Path) -> None:
    """Even where somebody removed the lock file, so that two processes drive at once."""
    with child(path, "wait") as process:
        assert line(process.stdout) == "1"
        process.send_signal(signal.SIGSTOP)
        path.with_name("store.db.lock").unlink()
        with contextlib.closing(open_store(path)) as store:
            experiment = only_experiment(path)
            script = DriverScript(store, experiment, store.open_session("next"))
            assert script.number == 1
            script.ask(2)
            process.send_signal(signal.SIGCONT)
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            assert line(process.stdout) == "DriverLost renewed=False"
            assert store.experiment(experiment).next_number == 3
            script.ask()
            assert [trial.number for trial in store.trials(experiment)] == [0, 1, 2, 3]
    assert_sound(path)


def test_grandchild_that_outlives_a_killed_master_does_not_keep_the_next_one_out(
    path: Path,
) -> None:
    """A fork and a started program of the master live on: neither has the lock."""
    with child(path, "leave-children") as process:
        children = [int(word) for word in line(process.stdout).split()]
        assert len(children) == 2
        process.kill()
        process.wait()
        try:
            for pid in children:
                os.kill(pid, 0)  # both are alive still
            with contextlib.closing(open_store(path)) as store:
                store.open_session("next")
        finally:
            for pid in children:
                os.kill(pid, signal.SIGKILL)


def test_forked_child_may_not_use_its_parents_store(path: Path) -> None:
    with child(path, "fork") as process:
        assert line(process.stdout) == "StorageError"
        assert line(process.stdout) == "parent goes on"


def test_kill_while_the_tables_are_laid_leaves_a_file_that_opens(tmp_path: Path) -> None:
    moments = random.Random(11)
    for round_ in range(3):
        path = tmp_path / f"{round_}.db"
        with child(path, "open") as process:
            line(process.stdout)
            time.sleep(moments.uniform(0.0, 0.25))
            process.kill()
            process.wait()
        with contextlib.closing(open_store(path)) as store:
            assert store.experiments() == []
        assert_sound(path)
