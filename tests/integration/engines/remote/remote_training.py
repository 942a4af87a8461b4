"""An evaluator that trains, for worker processes; importing torch takes seconds."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import torch
from remote_evaluators import note


def counting(arch: Any, trial: Any) -> float:
    """Trains a counter with checkpoints; the last checkpoint tells how far it was.

    An epoch lasts as long as the trial says, or until the search orders something.
    """
    state = trial.load_checkpoint()
    done = 0 if state is None else int(state["count"].item())
    note(f"from-{done}", trial)
    for epoch in range(done + 1, 5):
        trial.checkpoint(epoch, count=torch.tensor(epoch))
        trial.report(epoch, score=float(epoch))
        over = time.monotonic() + trial.params["seconds"]
        while time.monotonic() < over and not trial.should_stop():
            time.sleep(0.01)
    note("ended", trial)
    return 4.0


class Weights:
    """A model whose only weight counts the epochs that it was trained."""

    def __init__(self) -> None:
        self.count = 0

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {"count": torch.tensor(self.count)}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        self.count = int(state["count"])


def by_epochs_two_at_first(arch: Any, trial: Any) -> float:
    """As ``by_epochs``, but trials after the second wait for a file ``go`` beside the tally."""
    go = Path(os.environ["TALLY"]).parent / "go"
    while trial.number > 1 and not go.exists():
        time.sleep(0.02)
    return by_epochs(arch, trial)


def by_epochs(arch: Any, trial: Any) -> float:
    """Notes each epoch that it trains; the weights say how many these were on all workers."""
    weights = Weights()
    for epoch in trial.epochs(weights=weights):
        weights.count += 1
        note(f"trained-{epoch}", trial)
        trial.report(epoch, score=float(weights.count))
    return float(weights.count)


def saving_each_epoch(arch: Any, trial: Any) -> float:
    """Saves at each epoch; until there is a file ``go`` beside the tally, none ends after two."""
    go = Path(os.environ["TALLY"]).parent / "go"
    weights = Weights()
    for epoch in trial.epochs(model=weights):
        while epoch > 2 and not go.exists():
            time.sleep(0.02)
        weights.count += 1
        note(f"trained-{epoch}", trial)
        trial.checkpoint(epoch, model=weights)
    return float(weights.count)
