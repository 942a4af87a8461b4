"""Evaluators that count their calls and break where a file in the test's folder says so."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from counted_evaluations import evaluate as count_and_evaluate


def folder() -> Path:
    """Of the test."""
    return Path(os.environ["COUNTED_FOLDER"])


def write(name: str, line: str) -> None:
    """Add a line to a file that many processes write."""
    file = os.open(folder() / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def data_are_away() -> bool:
    """Whether this worker's data, or everybody's, are away."""
    worker = os.environ["COUNTED_WORKER"]
    return (folder() / f"away-{worker}").exists() or (folder() / "away").exists()


def evaluate(arch, trial):
    """Fail at once without data, and die at a poisonous number."""
    poisonous = (folder() / f"poison-{trial.number}").exists()
    if poisonous or data_are_away():
        worker = os.environ["COUNTED_WORKER"]
        write("evaluations", f"{trial.number} {worker} {trial.attempt_id} {time.time()}")
    if poisonous:
        os.kill(os.getpid(), signal.SIGKILL)
    if data_are_away():
        raise FileNotFoundError("no such folder: data")
    return count_and_evaluate(arch, trial)


class Prepared:
    """Reads its data before the first call."""

    def setup(self, context) -> None:
        """Fail without data."""
        write("setups", f"{os.environ['COUNTED_WORKER']} {time.time()}")
        if data_are_away():
            raise FileNotFoundError("no such folder: data")

    def __call__(self, arch, trial):
        """As the counted one."""
        return count_and_evaluate(arch, trial)
