"""Commands that run until they are told to leave, and what they say."""

from __future__ import annotations

import re
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from morphml.storage import open_store

PATIENCE_S = 150.0
EXPERIMENT = """\
name: numbers
space: |
  SearchSpace(decisions={"x": real(-1.0, 1.0), "k": integer(1, 5)})
evaluator: scoring:evaluate
objectives: {loss: min}
optimizer: evolution
trials: 12
seed: 3
"""


class Started:
    """A command that runs, and what it said so far."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Path) -> None:
        self.process = process
        self._errors = errors

    @property
    def said(self) -> str:
        return self._errors.read_text(encoding="utf-8")

    def wait_for(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = re.search(pattern, self.said)
            if found:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        pytest.fail(f"{pattern!r} was not said, but:\n{self.said}")

    def stop(self) -> int:
        """Ask it to leave, and its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


def one_screen(done: subprocess.CompletedProcess[str]) -> str:
    """What an error says, on one line."""
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.replace("│", " ").split())


def make_store(folder: Path) -> None:
    """An empty store ``a.db``, as a master leaves it that nobody has come to yet."""
    open_store(folder / "a.db").close()


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
