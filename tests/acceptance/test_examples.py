"""Every example runs as it stands, with a small budget."""

from __future__ import annotations

import ast
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
Run = Callable[..., subprocess.CompletedProcess[str]]

#: Script to its budget, the store it leaves, and the trials that are in it.
SCRIPTS = {
    "01_quickstart.py": ("3", "quickstart.db", 3),
    "02_own_training_loop.py": ("3", "own_loop.db", 3),
    "03_multi_objective_constraints.py": ("3", "two_goals.db", 3),
    "04_cells.py": ("3", "cells.db", 3),
    "05_ask_tell_by_hand.py": ("15", "by_hand.db", 15),
    "06_stop_and_resume.py": ("10", "stopped.db", 10),
    "07_many_machines.py": ("4", "many_machines.db", 4),
    "08_multi_fidelity.py": ("9", "rungs.db", 9),
    "09_ray_search.py": ("4", "ray_search.db", 4),
}
#: To start Ray takes longer than all others together; a search on Ray is tested elsewhere.
LONG = {"09_ray_search.py": pytest.mark.soak}
#: The demo trains as well, and clusters are tested elsewhere.
DEAR = dict.fromkeys(
    (
        "01_quickstart.py",
        "02_own_training_loop.py",
        "03_multi_objective_constraints.py",
        "04_cells.py",
        "07_many_machines.py",
        "08_multi_fidelity.py",
    ),
    pytest.mark.slow,
)
MARKS = {**LONG, **DEAR}
RUN = [pytest.param(name, marks=MARKS[name]) if name in MARKS else name for name in SCRIPTS]


def scored(store: Path) -> int:
    """Trials with a result; some of fewer epochs, where most are left at rungs."""
    with sqlite3.connect(store) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM trials WHERE state IN ('completed', 'pruned')"
        ).fetchone()
    connection.close()
    return int(count)


def test_every_example_is_run_by_a_test() -> None:
    scripts = {path.name for path in EXAMPLES.glob("*.py")}
    assert scripts == {*SCRIPTS, "demo.py", "pipeline.py"}
    assert len(SCRIPTS) >= 5


@pytest.mark.parametrize("name", RUN)
def test_example_runs_and_stores_its_trials(
    name: str, run_python: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    budget, store, trials = SCRIPTS[name]
    output = run_python(EXAMPLES / name, budget).stdout
    assert "best" in output
    assert scored(tmp_path / store) == trials
    for model in tmp_path.glob("*_model.py"):
        assert_standalone(model)


def test_demo_leaves_model_weights_and_report(run_python: Run, tmp_path: Path) -> None:
    output = run_python(EXAMPLES / "demo.py", "2").stdout
    assert "2/2 trials" in output
    assert "Best trials" in output
    assert (tmp_path / "demo" / "model.pt").stat().st_size > 1000
    report = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    assert "Best architecture: trial" in report
    assert report.count("<svg") >= 4
    assert_standalone(tmp_path / "demo" / "model.py")


def assert_standalone(path: Path) -> None:
    """The file imports nothing of ours, and runs where MorphML cannot be imported."""
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not [name for name in imported if name.startswith("morphml")]
    blocked = f"import sys, runpy; sys.modules['morphml'] = None; runpy.run_path({str(path)!r})"
    done = subprocess.run(
        [sys.executable, "-c", blocked], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_experiment_file_runs_from_the_command_line(morphml: Run, tmp_path: Path) -> None:
    done = morphml("search", str(EXAMPLES / "experiment.yaml"), "--trials", "3", "--json")
    assert done.returncode == 0, done.stderr
    assert scored(tmp_path / "digits.db") == 3
    written = morphml("export", "digits.db", "--to", "model.py")
    assert written.returncode == 0, written.stderr
    assert written.stdout.split() == ["wrote", "model.py", "wrote", "model.pt"]
    assert_standalone(tmp_path / "model.py")


@pytest.mark.slow  # each of its jobs is run by tests of training jobs, its command by others here
def test_pipeline_runs_from_the_command_line(morphml: Run, tmp_path: Path) -> None:
    done = morphml("workflow", "run", str(EXAMPLES / "pipeline.yaml"), "--json")
    assert done.returncode == 0, done.stderr
    jobs = {job["id"]: job for job in json.loads(done.stdout)["jobs"]}
    assert {job["state"] for job in jobs.values()} == {"succeeded"}
    assert jobs["prepare"]["outputs"]["count"] == jobs["evaluate"]["outputs"]["samples"] == 449
    assert jobs["evaluate"]["outputs"]["metrics"]["accuracy"] > 0.8
    assert scored(tmp_path / "pipeline.db") == 8
    assert_standalone(tmp_path / "digits" / "model.py")
