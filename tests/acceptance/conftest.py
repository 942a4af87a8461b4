"""What acceptance tests share: commands run as a person runs them, in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.conftest import nothing_left_by_others
from typer.testing import CliRunner

from morphml.cli.app import app

__all__ = ["nothing_left_by_others"]

MORPHML = Path(sys.executable).with_name("morphml")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment() -> dict[str, str]:
    """The person's environment, wide enough that tables are not folded.

    One thread per process: tests run beside each other, and threads that wait for a core in a loop
    make small trainings six times slower.
    """
    return {**os.environ, "COLUMNS": "160", "TERM": "dumb", "OMP_NUM_THREADS": "1"}


@pytest.fixture
def run_python(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs a script in an empty folder; fails the test with its output when it fails."""

    def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, str(script), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=380,
            check=False,
        )
        assert done.returncode == 0, f"{script.name}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def morphml(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs the command in an empty folder and hands back its status and output."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(MORPHML), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=380,
            check=False,
        )

    return run


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, morphml: Run) -> Run:
    """The same within this process, for commands that start nothing: saves the start-up.

    A master becomes another program, so that it has a process of its own here as well.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        if arguments[0] == "master":
            return morphml(*arguments)
        done = CliRunner().invoke(app, list(arguments))
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return run
