"""What tests of masters and workers share: a person with tokens, and commands that go on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.acceptance.cluster.commands import PATIENCE_S, Started

MORPHML = Path(sys.executable).with_name("morphml")
Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Started]


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Of a person whose tokens are in the folder of the test."""
    own = {"XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache", "EVALUATIONS": "evaluations"}
    return environment | {name: str(tmp_path / folder) for name, folder in own.items()}


@pytest.fixture
def typed(typed: Run, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, environment[name])
    return typed


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts commands that run until they are told to leave; kills what is left at the end."""
    started: list[Started] = []

    def begin(*arguments: str) -> Started:
        errors = tmp_path / f"errors-{len(started)}"
        with errors.open("wb") as file:
            process = subprocess.Popen(
                [str(MORPHML), *arguments],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=file,
            )
        started.append(Started(process, errors))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.wait(PATIENCE_S)
