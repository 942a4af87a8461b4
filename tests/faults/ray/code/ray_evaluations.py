"""Evaluators that write down what they do, so that what ran is counted by what ran."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any


class Counted:
    """Writes a line when it begins and when it ends; between them it waits for a file.

    Args:
        tally: file for the lines; beside it lies the one that lets trials end, with `.go`.
    """

    def __init__(self, tally: str) -> None:
        self.tally = Path(tally)

    def __call__(self, arch: Any, trial: Any) -> dict[str, float]:
        self.note("began", trial.number)
        while not self.tally.with_suffix(".go").exists():
            time.sleep(0.05)
        self.note("ended", trial.number)
        return {"loss": arch.decisions["x"] ** 2 + arch.decisions["k"]}

    def note(self, word: str, number: int) -> None:
        line = f"{word} {number} {os.getpid()} {time.time()}\n"
        descriptor = os.open(self.tally, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(descriptor, line.encode())
        os.close(descriptor)


class Reporting(Counted):
    """Reports every 10 ms until it is told to stop."""

    def __call__(self, arch: Any, trial: Any) -> dict[str, float]:
        for step in range(1, 3000):
            try:
                trial.report(step, loss=1.0 / step)
            except BaseException:
                self.note("stopped", trial.number)
                raise
            time.sleep(0.01)
        return {"loss": 0.0}


def out_of_time(arch: Any, trial: Any) -> float:
    print("this is captured", flush=True)
    time.sleep(600)
    return 0.0


def out_of_memory(arch: Any, trial: Any) -> float:
    held = bytearray(600 << 20)
    time.sleep(60)
    return float(len(held))


def loss(arch: Any, trial: Any) -> dict[str, float]:
    return {"loss": arch.decisions["x"] ** 2 + arch.decisions["k"]}
