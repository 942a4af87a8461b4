"""Death, errors and interrupts at exact points of a trial's way; TRUTH 8 is counted after each."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.faults.master.dying_child import TRIALS, Deathbed, drive, make

import morphml as mm
from morphml.errors import StorageError, StoreUnavailable
from morphml.master import Experiment, dispatcher, replay
from morphml.search.log import EntryKind, LogEntry

CHILD = Path(__file__).with_name("dying_child.py")
#: One life after the other, each ended at another point; the last one goes through.
DEATHS = [
    ("before commit", 1),
    ("after commit", 1),
    ("after claim", 1),
    ("before submit", 3),
    ("after submit", 3),
    ("after events", 3),
    ("before commit", 5),
    ("after commit", 5),
]


def live_until(folder: Path, workers: int, point: str, count: int) -> int:
    command = [sys.executable, CHILD, folder, str(workers), point, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def log_of(folder: Path) -> list[LogEntry]:
    with Experiment.open(folder / "s.db") as experiment:
        return list(experiment.store.log(experiment.id))


def evaluations(folder: Path) -> Counter[int]:
    path = folder / "evaluations"
    return Counter(map(int, path.read_text().split())) if path.exists() else Counter()


def essence(experiment: Experiment) -> list[tuple[object, ...]]:
    return [
        (t.number, t.point_id, t.epochs, dict(t.metrics), t.state)
        for t in experiment.store.trials(experiment.id)
    ]


def check_whole(folder: Path, most_evaluations: int) -> list[tuple[object, ...]]:
    """N numbers, each ended once; no gap; replayed; no task left; nothing evaluated too often."""
    entries = log_of(folder)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert [e.number for e in entries if e.kind is EntryKind.ASKED] == list(range(TRIALS))
    told = Counter(e.number for e in entries if e.kind is EntryKind.TOLD)
    assert told == Counter(range(TRIALS))
    reported = Counter(e.number for e in entries if e.kind is EntryKind.REPORTED)
    assert reported == Counter(range(TRIALS))
    counted = evaluations(folder)
    assert set(counted) == set(range(TRIALS))
    assert counted.total() <= most_evaluations
    with Experiment.open(folder / "s.db") as experiment:
        assert replay(experiment).passed
        assert experiment.store.task_counts(experiment.id) == {}
        succeeded = Counter(
            a.number for a in experiment.store.attempts(experiment.id) if a.result == "succeeded"
        )
        assert succeeded == Counter(range(TRIALS))
        return essence(experiment)


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow), 2])
def test_death_at_each_point_of_a_trial_loses_nothing_and_counts_nothing_twice(
    workers: int, tmp_path: Path
) -> None:
    folder = tmp_path / "dying"
    folder.mkdir()
    before: list[LogEntry] = []
    for point, count in DEATHS:
        assert live_until(folder, workers, point, count) == -signal.SIGKILL, point
        after = log_of(folder)
        assert after[: len(before)] == before
        before = after
    assert live_until(folder, workers, "never", 1) == 0
    assert log_of(folder)[: len(before)] == before
    most = TRIALS + len(DEATHS) * max(workers, 1)
    history = check_whole(folder, most)
    if workers < 2:
        whole = tmp_path / "whole"
        whole.mkdir()
        assert live_until(whole, workers, "never", 1) == 0
        assert check_whole(whole, TRIALS) == history


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("point", ["before commit", "after commit", "after claim"])
def test_store_that_fails_once_leaves_the_experiment_object_usable(
    point: str, workers: int, tmp_path: Path
) -> None:
    error = StoreUnavailable("the disk is full")
    with make(tmp_path, workers) as experiment:
        with pytest.raises(StorageError):
            drive(experiment, workers, Deathbed("before commit", 4, error))
        with pytest.raises(StorageError, match="the disk is full"):
            drive(experiment, workers, Deathbed(point, 1, error))
        assert experiment.record.state == "paused"
        assert "the disk is full" in experiment.record.reason
        drive(experiment, workers, Deathbed("never", 1))
    check_whole(tmp_path, TRIALS + 2 * max(workers, 1))


@pytest.mark.parametrize("call", [1, 5])
def test_interrupt_in_the_middle_of_a_proposal_stores_no_trial_without_a_task(
    call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    real = dispatcher.new_token

    def interrupted():
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        return real()

    with make(tmp_path, 0) as experiment:
        monkeypatch.setattr(dispatcher, "new_token", interrupted)
        with pytest.raises(KeyboardInterrupt):
            drive(experiment, 0, Deathbed("never", 1))
        assert experiment.record.state == "paused"
        pending = [t for t in experiment.store.trials(experiment.id) if t.state == "pending"]
        tasks = experiment.store.task_counts(experiment.id)
        assert sum(tasks.values()) == len(pending)
        drive(experiment, 0, Deathbed("never", 1))
    check_whole(tmp_path, TRIALS + 1)


def test_process_that_was_stopped_for_longer_than_its_lease_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        "import os, sys, time, morphml as mm\n"
        "path, go = sys.argv[1:]\n"
        "space = mm.SearchSpace(decisions={'a': mm.integer(0, 999)})\n"
        "def evaluate(arch, trial):\n"
        "    time.sleep(0.05)\n"
        "    while trial.number >= 20 and not os.path.exists(go):\n"
        "        time.sleep(0.01)\n"
        "    return 1.0\n"
        "print(mm.search(space, evaluate, trials=40, workers=2, storage=path).counts)\n"
    )
    path, go = tmp_path / "s.db", tmp_path / "go"
    command = [sys.executable, script, path, go]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 200
        while not path.exists() or started(path) < 4:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)
        go.touch()
        time.sleep(8.5)
        process.send_signal(signal.SIGCONT)
        out, _ = process.communicate(timeout=200)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "'completed': 40" in out
    with Experiment.open(path) as experiment:
        assert len(list(experiment.store.attempts(experiment.id))) == 40


def started(path: Path) -> int:
    try:
        with Experiment.open(path) as experiment:
            return experiment.record.next_number
    except mm.MorphError:
        return 0  # the file is there, its tables are not yet
