"""``morphml workflow`` as a person types it, with neither master nor worker started before."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.conftest import MORPHML

from morphml.master.workflows import Executions
from morphml.storage import open_store
from morphml.workflow import JobState

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., "subprocess.Popen[str]"]

WORKFLOW = """\
workflowId: pipeline
jobs:
  - id: prepare
    type: python
    config: {function: "steps:prepare", items: [3, 4, 5]}
  - id: square
    type: python
    dependsOn: [prepare]
    forEach: ${prepare.items}
    config: {function: "steps:square", value: "${item}", words: "${prepare.words}"}
  - id: slow
    type: python
    dependsOn: [prepare]
    maxRetries: 0
    config: {function: "steps:slow"}
  - id: sum
    type: shell
    dependsOn: [square, slow]
    config:
      command: [python3, sum_up.py]
      inputs: ${square.square}
"""
SUM_UP = """\
import json, os
print(sum(json.load(open(os.environ["MORPHML_INPUTS"]))))
"""
STEPS = """\
import os, time
from pathlib import Path

def note(run):
    with open(os.environ["RAN"], "a") as ran:
        ran.write(f"{run.job} {run.attempt_id}\\n")

def prepare(items, run):
    note(run)
    print("preparing", len(items))
    words = run.folder / "words.txt"
    words.write_text("some words")
    return {"items": items, "words": words}

def square(value, words, run):
    note(run)
    assert words.read_text() == "some words"
    return {"square": value * value}

def slow(run):
    note(run)
    until = time.monotonic() + 60
    while not Path(os.environ["GO"]).exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    if Path(os.environ["GO"]).read_text() == "fail":
        raise ValueError("not yet")
"""


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Where jobs write that they ran, and what the slow one waits for."""
    here = {"RAN": str(tmp_path / "ran"), "GO": str(tmp_path / "go"), "HOME": str(tmp_path)}
    return {**environment, **here}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a workflow and the module of its functions."""
    (tmp_path / "pipeline.yaml").write_text(WORKFLOW, encoding="utf-8")
    (tmp_path / "sum_up.py").write_text(SUM_UP, encoding="utf-8")
    (tmp_path / "steps.py").write_text(STEPS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def start(folder: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts a command in a process group of its own, which ends with the test."""
    with contextlib.ExitStack() as stack:

        def begin(*arguments: str) -> subprocess.Popen[str]:
            made = stack.enter_context(
                subprocess.Popen(
                    [str(MORPHML), "workflow", *arguments, "--workers", "2"],
                    cwd=folder,
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                    start_new_session=True,
                )
            )
            stack.callback(end, made)
            return made

        yield begin


def end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def ran(folder: Path) -> Counter[str]:
    """How often each job ran, counted by the jobs themselves; no attempt twice."""
    path = folder / "ran"
    lines = path.read_text().splitlines() if path.exists() else []
    assert len(lines) == len(set(lines))
    return Counter(line.split()[0] for line in lines)


def recorded(folder: Path) -> set[str]:
    """Jobs whose success is stored."""
    with contextlib.closing(open_store(str(folder / "pipeline.db"))) as store:
        executions = Executions(store)
        [execution] = executions.list().items
        jobs = executions.jobs(execution.id)
        return {job.id for job in jobs if job.state is JobState.SUCCEEDED}


def states(document: Mapping[str, Any]) -> dict[str, str]:
    return {job["id"]: job["state"] for job in document["jobs"]}


ONCE = Counter(["prepare", "square[0]", "square[1]", "square[2]", "slow"])


def test_workflow_runs_each_job_once_and_tells_what_it_put_out(
    folder: Path, morphml: Run, typed: Run
) -> None:
    (folder / "go").write_text("go")
    done = morphml("workflow", "run", "pipeline.yaml")
    assert done.returncode == 0, done.stderr
    assert ran(folder) == ONCE
    assert "prepare succeeded in" in done.stderr
    assert "sum put out exitCode 0" in done.stdout
    shown = json.loads(typed("workflow", "status", "pipeline.db", "--json").stdout)
    assert shown["state"] == "completed"
    outputs = {job["id"]: job["outputs"] for job in shown["jobs"]}
    assert outputs["square"] == {"square": [9, 16, 25]}
    assert outputs["sum"]["stdout"] == "50\n"
    logs = typed("workflow", "logs", "pipeline.db", shown["id"], "prepare")
    assert logs.stdout == "preparing 3\n"


@pytest.mark.slow
def test_failed_workflow_is_taken_up_where_it_stopped(folder: Path, morphml: Run) -> None:
    (folder / "go").write_text("fail")
    failed = morphml("workflow", "run", "pipeline.yaml", "--json", "--quiet")
    assert failed.returncode == 1, failed.stderr
    document = json.loads(failed.stdout)
    assert document["state"] == "failed"
    assert "not yet" in document["reason"]
    assert (states(document)["slow"], states(document)["prepare"]) == ("failed", "succeeded")
    (folder / "go").write_text("go")
    done = morphml("workflow", "resume", "pipeline.db", "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    assert set(states(json.loads(done.stdout)).values()) == {"succeeded"}
    assert ran(folder) == ONCE + Counter(["slow"])
    again = morphml("workflow", "resume", "pipeline.db")
    assert again.returncode == 2, "there is nothing left to run"


def test_killed_run_goes_on_and_records_each_job_once(
    folder: Path, morphml: Run, start: Start
) -> None:
    killed = start("run", "pipeline.yaml")
    until(lambda: ran(folder) == ONCE and recorded(folder) >= set(ONCE) - {"slow"})
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    interrupted = start("resume", "pipeline.db")
    until(lambda: ran(folder)["slow"] == 2)
    interrupted.send_signal(signal.SIGINT)
    _, said = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 130, said
    assert "morphml workflow resume pipeline.db" in said.replace("\n", " ")
    (folder / "go").write_text("go")
    done = morphml("workflow", "resume", "pipeline.db", "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    assert set(states(json.loads(done.stdout)).values()) == {"succeeded"}
    assert ran(folder) == ONCE + Counter(["slow", "slow"]), "what succeeded did not run again"


def test_workflow_is_paused_and_cancelled_from_another_terminal(
    folder: Path, typed: Run, start: Start
) -> None:
    running = start("run", "pipeline.yaml")
    until(lambda: ran(folder) == ONCE)
    paused = typed("workflow", "pause", "pipeline.db")
    assert "paused" in paused.stdout
    (folder / "go").write_text("go")
    until(lambda: states(status(typed))["slow"] == "succeeded")
    assert status(typed)["state"] == "paused"
    assert states(status(typed))["sum"] == "ready"
    cancelled = typed("workflow", "cancel", "pipeline.db")
    assert cancelled.returncode == 0
    assert running.wait(30) == 1
    listed = json.loads(typed("workflow", "list", "pipeline.db", "--json").stdout)
    assert [each["state"] for each in listed] == ["cancelled"]


def status(typed: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(typed("workflow", "status", "pipeline.db", "--json").stdout)
    return found


def until(check: Callable[[], object], within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < end
        time.sleep(0.05)
