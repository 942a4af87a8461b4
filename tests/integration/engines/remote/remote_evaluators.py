"""Evaluators for worker processes: each call leaves a line in the file that TALLY names."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any


def _note(word: str, trial: Any) -> None:
    with Path(os.environ["TALLY"]).open("a", encoding="ascii") as file:
        file.write(f"{word} {trial.number} {os.getpid()} {time.time()}\n")


def evaluate(arch: Any, trial: Any) -> float:
    _note("began", trial)
    print(f"trial {trial.number}")
    time.sleep(trial.params["seconds"])
    _note("ended", trial)
    return float(trial.number)


def reporting(arch: Any, trial: Any) -> float:
    """Reports every 5 ms; what it was told is noted when it comes."""
    _note("began", trial)
    try:
        for step in range(1, 100_000):
            trial.report(step, score=float(step))
            time.sleep(0.005)
    finally:
        _note("ended", trial)
    return 0.0


def deaf(arch: Any, trial: Any) -> float:
    """Ignores everything but SIGKILL."""
    import signal

    _note("began", trial)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        try:
            time.sleep(100)
        except BaseException:
            continue


def counting(arch: Any, trial: Any) -> float:
    """Trains a counter with checkpoints; the last checkpoint tells how far it was."""
    import torch

    state = trial.load_checkpoint()
    done = 0 if state is None else int(state["count"].item())
    _note(f"from-{done}", trial)
    for epoch in range(done + 1, 5):
        trial.checkpoint(epoch, count=torch.tensor(epoch))
        trial.report(epoch, score=float(epoch))
        time.sleep(trial.params["seconds"])
    _note("ended", trial)
    return 4.0


def chatting(arch: Any, trial: Any) -> float:
    for line in range(300):
        print(f"line {line}")
        time.sleep(0.005)
    return 1.0
