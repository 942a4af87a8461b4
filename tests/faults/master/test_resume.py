"""Kill -9 of the main process at any moment, then resume: what TRUTH promises, counted."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import morphml as mm
from morphml.master import Experiment, replay
from morphml.search.log import EntryKind, LogEntry

SCRIPT = """
import os, sys, time
import morphml as mm

space = mm.SearchSpace(decisions={"a": mm.integer(0, 30), "b": mm.integer(0, 30)})
folder, workers, seconds, held = sys.argv[1], int(sys.argv[2]), *map(float, sys.argv[3:])

def evaluate(arch, trial):
    line = f"{trial.number} {arch.decisions['a']} {arch.decisions['b']}\\n"
    file = os.open(folder + "/evaluations", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, line.encode())
    os.close(file)
    time.sleep(seconds)
    while trial.number >= held and not os.path.exists(folder + "/go"):
        time.sleep(0.01)
    return float((arch.decisions["a"] - 7) ** 2 + (arch.decisions["b"] - 21) ** 2)

mm.search(space, evaluate, objectives={"loss": "min"}, optimizer="evolution", trials=60, seed=5,
          workers=workers, storage=folder + "/search.db")
"""


def start(
    folder: Path, workers: int, seconds: float, held: float = math.inf
) -> subprocess.Popen[bytes]:
    """The search in a process of its own; trials of that number or more do not end before `go`.

    So it cannot be over before it is hurt, however late that comes.
    """
    script = folder / "run.py"
    script.write_text(SCRIPT)
    command = [sys.executable, script, folder, str(workers), str(seconds), str(held)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def kill_after_evaluations(process: subprocess.Popen[bytes], folder: Path, count: int) -> None:
    """Kill -9 once the evaluator has counted so many evaluations."""
    deadline = time.monotonic() + 200
    while evaluations(folder) < count:
        if process.poll() is not None or time.monotonic() > deadline:
            _, errors = process.communicate()
            raise AssertionError(f"the search ended by itself: {errors.decode()}")
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def evaluations(folder: Path) -> int:
    path = folder / "evaluations"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def read_log(folder: Path) -> list[LogEntry]:
    with Experiment.open(folder / "search.db") as experiment:
        return list(experiment.store.log(experiment.id))


def essence(folder: Path) -> list[tuple[object, ...]]:
    """What resume must not change: number, point, epochs, metrics, outcome."""
    with Experiment.open(folder / "search.db") as experiment:
        return [
            (t.number, t.point_id, t.epochs, dict(t.metrics), t.state, t.vector)
            for t in experiment.store.trials(experiment.id)
        ]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    folder = tmp_path_factory.mktemp("whole")
    process = start(folder, 1, 0.0)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    return essence(folder)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("count", [1, pytest.param(17, marks=pytest.mark.slow), 42])
def test_resume_with_one_worker_gives_the_history_of_the_uninterrupted_run(
    workers: int, count: int, tmp_path: Path, uninterrupted: list[tuple[object, ...]]
) -> None:
    kill_after_evaluations(start(tmp_path, workers, 0.01, count + 5), tmp_path, count)
    (tmp_path / "go").touch()
    before = read_log(tmp_path)
    result = mm.resume(tmp_path / "search.db", workers=workers)
    after = read_log(tmp_path)
    assert after[: len(before)] == before
    assert essence(tmp_path) == uninterrupted
    assert result.reason == "budget of trials spent"
    # The evaluator's own count: only what ran when the process died was evaluated again.
    assert 60 <= evaluations(tmp_path) <= 61


def test_resume_again_and_again_with_four_workers_loses_nothing_and_counts_nothing_twice(
    tmp_path: Path,
) -> None:
    kill_after_evaluations(start(tmp_path, 4, 0.02, 40), tmp_path, 9)
    before = read_log(tmp_path)
    resumed = subprocess.Popen(
        [sys.executable, "-c", f"import morphml; morphml.resume({str(tmp_path / 'search.db')!r})"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    kill_after_evaluations(resumed, tmp_path, 31)
    (tmp_path / "go").touch()
    mm.resume(tmp_path / "search.db", workers=4)
    after = read_log(tmp_path)
    assert after[: len(before)] == before
    assert [entry.seq for entry in after] == list(range(1, len(after) + 1))
    asked = [entry.number for entry in after if entry.kind is EntryKind.ASKED]
    told = Counter(entry.number for entry in after if entry.kind is EntryKind.TOLD)
    assert asked == list(range(60))
    assert told == Counter(range(60))
    with Experiment.open(tmp_path / "search.db") as experiment:
        report = replay(experiment)
        assert report.passed
        assert report.asked >= 60
        attempts = Counter(a.number for a in experiment.store.attempts(experiment.id))
    assert set(attempts) == set(range(60))
    assert 60 <= evaluations(tmp_path) <= 60 + 2 * 4


def test_interrupt_stops_cleanly_and_the_search_goes_on_later(tmp_path: Path) -> None:
    process = start(tmp_path, 2, 0.05, 20)
    while evaluations(tmp_path) < 6:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=200)
    assert b"KeyboardInterrupt" in errors
    (tmp_path / "go").touch()
    with Experiment.open(tmp_path / "search.db") as experiment:
        assert experiment.record.state == "paused"
        assert "interrupt" in experiment.record.reason
    assert len(mm.resume(tmp_path / "search.db", workers=2).records) == 60
