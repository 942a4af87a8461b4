"""The parent of a search is killed: nothing that it started, directly or not, stays alive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

HERE = Path(__file__).parent

#: An unguarded script, as a beginner writes it: the evaluator is a function of ``__main__``.
SCRIPT = """
import os, subprocess, sys, time
from pathlib import Path
from morphml.engines import Finished
from morphml.engines.local import LocalEngine
from morphml.testing.engine_probe import EngineProbe

folder = Path(sys.argv[1])
(folder / "main").open("a").write("ran\\n")

def evaluate(arch, trial):
    helper = lambda: subprocess.Popen(["sleep", "600"], start_new_session=True).pid
    forked = os.fork()
    if forked == 0:
        time.sleep(600)
        os._exit(0)
    for pid in (os.getpid(), forked, helper()):
        (folder / str(pid)).touch()
    if sys.argv[2] == "hang":
        time.sleep(600)
    return 0.25

engine = LocalEngine(2)
probe = EngineProbe(engine)
probe.prepare(evaluate)
probe.submit()
probe.submit()
for pid in engine.processes:
    (folder / str(pid)).touch()
probe.finish(600)
for pid in engine.processes:
    (folder / str(pid)).touch()
print([end.outcome for end in probe.of(Finished)])
if sys.argv[2] == "close":
    engine.close()
"""


def start(folder: Path, how: str) -> subprocess.Popen[str]:
    script = folder / "search.py"
    script.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script), str(folder), how], stdout=subprocess.PIPE, text=True
    )


def noted(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir() if path.name.isdigit()]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def left_after(pids: list[int], timeout_s: float = 30.0) -> list[int]:
    end = time.monotonic() + timeout_s
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def wait_for(count: int, folder: Path) -> list[int]:
    end = time.monotonic() + 120
    while len(noted(folder)) < count:
        assert time.monotonic() < end, noted(folder)
        time.sleep(0.02)
    return noted(folder)


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGTERM])
def test_killed_parent_leaves_no_process(tmp_path: Path, sig: signal.Signals) -> None:
    with start(tmp_path, "hang") as parent:
        pids = wait_for(7, tmp_path)  # fork server, two children with two processes each
        assert all(alive(pid) for pid in pids)
        os.kill(parent.pid, sig)
        parent.wait()
        assert left_after(pids) == []


def test_killed_parent_and_stopped_fork_server_leave_no_process(tmp_path: Path) -> None:
    """The server notices when it goes on: it does not depend on being told in time."""
    with start(tmp_path, "hang") as parent:
        pids = wait_for(7, tmp_path)
        server = psutil.Process(parent.pid).children()[0].pid
        assert server in pids
        os.kill(server, signal.SIGSTOP)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        os.kill(server, signal.SIGCONT)
        assert left_after(pids) == []


def test_parent_killed_while_children_start_leaves_no_process(tmp_path: Path) -> None:
    for delay in (0.0, 0.05, 0.1, 0.2, 0.3):
        folder = tmp_path / str(delay)
        folder.mkdir()
        with start(folder, "hang") as parent:
            while not (folder / "main").exists():
                time.sleep(0.005)
            time.sleep(delay)
            family = psutil.Process(parent.pid).children(recursive=True)
            os.kill(parent.pid, signal.SIGKILL)
            parent.wait()
            assert left_after([process.pid for process in family] + noted(folder)) == []


@pytest.mark.parametrize("how", ["close", "just end"])
def test_unguarded_script_runs_once_and_ends_with_all_it_started(tmp_path: Path, how: str) -> None:
    with start(tmp_path, how) as parent:
        out, _ = parent.communicate(timeout=120)
        assert parent.returncode == 0
    assert out.count("Succeeded(metrics={'score': 0.25}") == 2
    assert (tmp_path / "main").read_text() == "ran\n"
    assert left_after(noted(tmp_path)) == []
