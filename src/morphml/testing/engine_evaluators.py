"""Evaluators that the contract of engines is tested with, importable by whatever runs them."""

from __future__ import annotations

import random

import numpy as np

from morphml.evaluation.contract import SetupContext
from morphml.evaluation.trial import Trial
from morphml.testing.engine_probe import ToyArchitecture


def score(arch: ToyArchitecture, trial: Trial) -> float:
    """The member's own number."""
    return float(arch.vector[0] or 0.0)


def report_thrice(arch: ToyArchitecture, trial: Trial) -> dict[str, float]:
    """Reports 1, 2, 3 and returns them as a mapping with more than is needed."""
    for step in (1, 2, 3):
        trial.report(step, score=step / 10)
    trial.log("three reports")
    return {"score": 0.3, "extra": 1.0}


def fail(arch: ToyArchitecture, trial: Trial) -> float:
    """Raises."""
    raise ValueError(f"no good: {arch.vector}")


def leave(arch: ToyArchitecture, trial: Trial) -> float:
    """Tries to end the process politely."""
    raise SystemExit(3)


def return_as_told(arch: ToyArchitecture, trial: Trial) -> object:
    """One of the wrong results, by number."""
    wrong: tuple[object, ...] = (
        float("nan"),
        float("inf"),
        "0.9",
        None,
        True,
        np.array(0.5),
        np.array([0.5, 0.6]),
        {"loss": 0.1},
        {"score": 0.5, "params": 10.0},
        {"score": float("-inf")},
    )
    return wrong[int(arch.vector[0] or 0)]


def draw(arch: ToyArchitecture, trial: Trial) -> dict[str, float]:
    """Draws from the global generators."""
    return {"score": random.random(), "numpy": float(np.random.random())}  # noqa: S311, NPY002


def tell(arch: ToyArchitecture, trial: Trial) -> dict[str, float]:
    """What the trial knows about itself, as numbers."""
    return {
        "score": float(trial.number),
        "x": float(str(trial.params["x"])),
        "seed": float(trial.seed),
        "id_length": float(len(trial.attempt_id)),
        "epochs": float(len(list(trial.epochs()))),
    }


class SetUp:
    """Counts how often its process was set up, and says what it was told."""

    def __init__(self) -> None:
        self.context: SetupContext | None = None
        self.setups = 0

    def setup(self, context: SetupContext) -> None:
        """Keep the context."""
        self.context = context
        self.setups += 1

    def __call__(self, arch: ToyArchitecture, trial: Trial) -> dict[str, float]:
        """The number of setups before."""
        assert self.context is not None
        return {"score": float(self.setups), "limit": float(str(self.context.settings["limit"]))}


class BrokenSetup:
    """Cannot be set up."""

    def setup(self, context: SetupContext) -> None:
        """Fail as a missing data set does."""
        raise FileNotFoundError("no data here")

    def __call__(self, arch: ToyArchitecture, trial: Trial) -> float:
        """Never called."""
        return 1.0


#: What ``return_as_told`` does wrong, and a word that the message must have.
WRONG_RESULTS = (
    "finite",
    "finite",
    "text",
    "return statement",
    "bool",
    ".item()",
    "reduce",
    "score",
    "params",
    "finite",
)
