"""Evaluators for worker processes: each call leaves a line in the file that TALLY names."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any


def note(word: str, trial: Any) -> None:
    with Path(os.environ["TALLY"]).open("a", encoding="ascii") as file:
        file.write(f"{word} {trial.number} {os.getpid()} {time.time()}\n")


def evaluate(arch: Any, trial: Any) -> float:
    note("began", trial)
    print(f"trial {trial.number}")
    time.sleep(trial.params["seconds"])
    note("ended", trial)
    return float(trial.number)


def gated(arch: Any, trial: Any) -> float:
    """Runs until ``WorkerProcess.let`` says that it may end."""
    note("began", trial)
    while not Path(f"{os.environ['TALLY']}-{trial.number}").exists():
        time.sleep(0.01)
    note("ended", trial)
    return float(trial.number)


def seeing(arch: Any, trial: Any) -> float:
    """Notes which GPUs it is shown, as long as it runs."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "all") or "none"
    note(f"began-{seen}-{trial.device}", trial)
    time.sleep(trial.params["seconds"])
    note(f"ended-{seen}-{trial.device}", trial)
    return 1.0


def on_broken_gpu(arch: Any, trial: Any) -> float:
    """Notes which GPU it is shown; all fails on the first."""
    seen = os.environ["CUDA_VISIBLE_DEVICES"]
    note(f"began-{seen}", trial)
    if seen == "0":
        raise RuntimeError("CUDA error: uncorrectable ECC error encountered")
    time.sleep(trial.params["seconds"])
    return 1.0


def reporting(arch: Any, trial: Any) -> float:
    """Reports every 5 ms; what it was told is noted when it comes."""
    note("began", trial)
    try:
        for step in range(1, 100_000):
            trial.report(step, score=float(step))
            time.sleep(0.005)
    finally:
        note("ended", trial)
    return 0.0


def deaf(arch: Any, trial: Any) -> float:
    """Ignores everything but SIGKILL."""
    import signal

    note("began", trial)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        try:
            time.sleep(100)
        except BaseException:
            continue


def chatting(arch: Any, trial: Any) -> float:
    for line in range(300):
        print(f"line {line}")
        time.sleep(0.005)
    return 1.0


def noop(arch: Any, trial: Any) -> float:
    return 1.0


def judged(arch: Any, trial: Any) -> float:
    """Notes each epoch that it trains; the score is the decision's, and rises with the epochs."""
    score = 0.0
    for epoch in trial.epochs():
        note(f"trained-{epoch}", trial)
        score = float(arch.decisions["x"]) - 100.0 / epoch
        trial.report(epoch, score=score)
        time.sleep(0.05)
    return score
