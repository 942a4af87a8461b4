"""An evaluator that trains, for worker processes; importing torch takes seconds."""

from __future__ import annotations

import time
from typing import Any

import torch
from remote_evaluators import note


def counting(arch: Any, trial: Any) -> float:
    """Trains a counter with checkpoints; the last checkpoint tells how far it was."""
    state = trial.load_checkpoint()
    done = 0 if state is None else int(state["count"].item())
    note(f"from-{done}", trial)
    for epoch in range(done + 1, 5):
        trial.checkpoint(epoch, count=torch.tensor(epoch))
        trial.report(epoch, score=float(epoch))
        time.sleep(trial.params["seconds"])
    note("ended", trial)
    return 4.0
