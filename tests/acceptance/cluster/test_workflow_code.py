"""The code beside a workflow goes to workers that do not have it, as that of experiments does."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.acceptance.cluster.commands import Started

from morphml.master.workflows import Executions
from morphml.storage import open_store

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Started]

WORKFLOW = """\
workflowId: with-code
jobs:
  - {id: prepare, type: python, config: {function: "tasks:prepare"}}
  - id: search
    type: search
    dependsOn: [prepare]
    config:
      space: |
        SearchSpace(decisions={"x": real(-1.0, 1.0)})
      evaluator: tasks:evaluate
      objectives: {loss: min}
      trials: 4
  - id: train
    type: train
    dependsOn: [search]
    config: {search: "${search}", epochs: 1}
"""
HELPING = """\
import os

def note(what):
    with open(os.environ["EVALUATIONS"], "a") as file:
        file.write(f"{what}\\n")
"""
TASKS = """\
from helping import note

def prepare():
    note("prepare")
    return {"version": VERSION}

def evaluate(arch, trial):
    note("evaluate")
    return {"loss": arch.decisions["x"] ** 2 + VERSION}
"""


def write(folder: Path, version: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "pipeline.yaml").write_text(WORKFLOW, encoding="utf-8")
    (folder / "helping.py").write_text(HELPING, encoding="utf-8")
    (folder / "tasks.py").write_text(f"VERSION = {version}\n{TASKS}", encoding="utf-8")


@pytest.fixture
def master(start: Start) -> str:
    """A master with a worker; its addresses for workers and for REST."""
    rest = ("--rest", "127.0.0.1:0")
    begun = start("master", "--storage", "a.db", "--listen", "127.0.0.1:0", *rest)
    address = begun.wait_for(r"morphml worker --master (\S+)")[1]
    start("worker", "--master", address, "--slots", "2").wait_for("connected")
    return begun.wait_for(r"REST\D*(http://\S+:\d+)")[1]


def test_code_beside_a_workflow_goes_to_workers_that_do_not_have_it(
    tmp_path: Path, morphml: Run, master: str
) -> None:
    ids = []
    for version, where in enumerate((("--storage", "a.db"), ("--master", master)), start=1):
        write(tmp_path / "mine", version)
        done = morphml("workflow", "run", "mine/pipeline.yaml", *where, "--json", "--quiet")
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        jobs = {job["id"]: job for job in told["jobs"]}
        assert jobs["prepare"]["outputs"] == {"version": version}
        assert version <= jobs["train"]["outputs"]["metrics"]["loss"] <= version + 1
        assert {job["attempts"] for job in told["jobs"] if job["type"] != "search"} == {1}
        ids.append(told["id"])
    ran = Counter((tmp_path / "evaluations").read_text(encoding="utf-8").split())
    assert ran == {"prepare": 2, "evaluate": 2 * (4 + 1)}
    with closing(open_store(str(tmp_path / "a.db"))) as store:
        sources = {store.workflows.reading.execution(id).workflow.source for id in ids}
        assert len(sources) == 2
        assert store.bundles.prune(0.0) == {}, "it is there for as long as the executions are"
        Executions(store).queue.clean(0.0)
        assert store.bundles.prune(0.0).keys() == sources
