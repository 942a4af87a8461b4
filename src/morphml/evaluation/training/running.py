"""What both built-in evaluators do with one trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from morphml.errors import EvaluatorError
from morphml.evaluation.training.fitting import Fitting
from morphml.evaluation.training.goal import Goal
from morphml.evaluation.training.options import TrainingOptions
from morphml.evaluation.training.tensors import TensorPart, Tensors
from morphml.evaluation.trial import Trial
from morphml.nn.network import Network

if TYPE_CHECKING:
    from morphml.space import Architecture


def train(
    architecture: Architecture,
    trial: Trial,
    *,
    tensors: Tensors,
    goal: Goal,
    options: TrainingOptions,
) -> dict[str, float]:
    """Build, train and score one architecture; all randomness comes from the trial's seed.

    Raises:
        EvaluatorError: when network and data do not fit, or training diverges.
        TrialStopped, TrialPaused: as the search orders.
    """
    torch.manual_seed(trial.seed)
    model = architecture.build()
    if not isinstance(model, nn.Module):
        raise EvaluatorError(
            f"the built-in training needs a torch.nn.Module; build() gave {type(model).__name__}"
        )
    model.to(trial.device)
    return Fitting(
        model=model,
        train=fitted(tensors.train, model),
        validation=fitted(tensors.validation, model),
        goal=goal,
        options=options,
        trial=trial,
    ).run()


def fitted(part: TensorPart, model: nn.Module) -> TensorPart:
    """The samples in the shape and of the type that ``model`` takes, where it says so."""
    if not isinstance(model, Network):
        return part
    return part.suited(model.plan.inputs)
