"""Evaluators that really train, small enough for tests."""

from __future__ import annotations

import os
import signal
import time

import torch
from torch import nn

from morphml.evaluation import Trial
from morphml.testing.engine_probe import ToyArchitecture


def train(arch: ToyArchitecture, trial: Trial) -> dict[str, float]:
    """Five noisy epochs; the score tells every bit of the weights and of the noise."""
    return _train(trial)


def train_slowly(arch: ToyArchitecture, trial: Trial) -> dict[str, float]:
    """The same, whose epochs last until the search orders something when it starts afresh."""
    fresh = trial.load_checkpoint() is None
    return _train(trial, epoch_s=60.0 if fresh else 0.0)


def train_and_die(arch: ToyArchitecture, trial: Trial) -> dict[str, float]:
    """The same, killed once after the third epoch when it started afresh."""
    fresh = trial.load_checkpoint() is None
    return _train(trial, die_after=3 if fresh else 99)


def stop_early(arch: ToyArchitecture, trial: Trial) -> float:
    """Leaves the loop after two epochs and puts other weights in."""
    model = nn.Linear(1, 1)
    for epoch in trial.epochs(model=model):
        if epoch == 2:
            break
    nn.init.constant_(model.weight, 42.0)
    return 0.5


def keep_wrong_state(arch: ToyArchitecture, trial: Trial) -> float:
    """A checkpoint that could only be read back by running code."""
    trial.checkpoint(1, thing=print)
    return 0.5


def keep_own_state(arch: ToyArchitecture, trial: Trial) -> float:
    """Saves and loads by hand."""
    found = trial.load_checkpoint()
    if found is None:
        trial.checkpoint(3, best=torch.tensor([0.25]), note={"a": [1, "b"]})
        return 0.0
    assert found["note"] == {"a": [1, "b"]}
    return float(found["best"])


def save_often(arch: ToyArchitecture, trial: Trial) -> float:
    """Six checkpoints by hand."""
    for step in range(1, 7):
        trial.checkpoint(step, value=torch.tensor(step))
    return 0.5


def look_around(arch: ToyArchitecture, trial: Trial) -> dict[str, float]:
    """What the process is like."""
    return {
        "score": float(torch.get_num_threads()),
        "server_has_torch": float("torch" in os.environ.get("SEEN", "torch")),
        "pid": float(os.getpid()),
    }


def _train(trial: Trial, epoch_s: float = 0.0, die_after: int = 99) -> dict[str, float]:
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    total = 0.0
    for epoch in trial.epochs(model=model, optimizer=optimizer):
        x = torch.randn(16, 4)
        loss = (model(x) - x.sum(dim=1, keepdim=True)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total = loss.item()
        trial.report(epoch, score=total)
        over = time.monotonic() + epoch_s
        while time.monotonic() < over and not trial.should_stop():
            time.sleep(0.01)
        if epoch == die_after:
            trial.checkpoint(epoch, model=model, optimizer=optimizer)
            os.kill(os.getpid(), signal.SIGKILL)
    weights = torch.cat([p.detach().flatten() for p in model.parameters()]).double()
    return {"score": float(weights.sum()), "loss": total}
