"""What both built-in evaluators do with one trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import nn

from morphml.errors import EvaluatorError
from morphml.evaluation.training.fitting import Fitting, measure
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


def score(
    architecture: Architecture, weights: object, *, part: TensorPart, goal: Goal
) -> dict[str, float]:
    """The metrics of a trained architecture over ``part``, on the device of its samples.

    Args:
        architecture: what was trained.
        weights: its state, tensors by name.
        part: the samples.
        goal: says the metrics.

    Raises:
        EvaluatorError: when network, weights and data do not fit.
    """
    model = architecture.build()
    if not isinstance(model, nn.Module) or not isinstance(weights, Mapping):
        raise EvaluatorError("only a torch.nn.Module with its state as a mapping can be scored")
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise EvaluatorError(f"the weights belong to another architecture: {error}") from None
    return measure(model.to(part.y.device), fitted(part, model), goal)


def fitted(part: TensorPart, model: nn.Module) -> TensorPart:
    """The samples in the shape and of the type that ``model`` takes, where it says so."""
    if not isinstance(model, Network):
        return part
    return part.suited(model.plan.inputs)
