"""What a network is trained for: a loss to fall and metrics to report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F

from morphml.errors import EvaluatorError


class Goal(Protocol):
    """Loss and metrics of one kind of task."""

    @property
    def watched(self) -> str:
        """The metric that early stopping watches."""
        ...

    @property
    def larger_is_better(self) -> bool:
        """The direction of the watched metric."""
        ...

    def loss(self, output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """The mean loss of a batch, a scalar that gradients flow from."""
        ...

    def metrics(self, output: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        """The metrics over a whole part of the data."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """Classification: cross entropy over scores (n, classes); ``accuracy`` and ``loss``."""

    #: How many classes the data has.
    classes: int
    label_smoothing: float = 0.0
    watched: str = "accuracy"
    larger_is_better: bool = True

    def loss(self, output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Mean cross entropy.

        Raises:
            EvaluatorError: when the network has fewer outputs than the data has classes.
        """
        if output.dim() != 2 or output.shape[1] < self.classes:
            raise EvaluatorError(
                f"the data has {self.classes} classes, so the network's output must have the shape "
                f"({self.classes},); it has {tuple(output.shape[1:])}"
            )
        return F.cross_entropy(output, y, label_smoothing=self.label_smoothing)

    def metrics(self, output: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        """Share of right answers, and mean cross entropy without smoothing."""
        right = (output.argmax(1) == y).float().mean().item()
        return {"accuracy": right, "loss": F.cross_entropy(output, y).item()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Regression: squared error over (n, d); ``mse``, ``mae`` and ``r2`` in the data's own units.

    The network learns targets of mean 0 and deviation 1, so that one learning rate fits all data.
    """

    #: (d,) of the training targets.
    mean: torch.Tensor
    #: (d,) of the training targets, above 0.
    deviation: torch.Tensor
    watched: str = "mse"
    larger_is_better: bool = False

    def loss(self, output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Mean squared error in deviations.

        Raises:
            EvaluatorError: when the network's output has another shape than the targets.
        """
        wanted = (y - self.mean) / self.deviation
        if output.shape != y.shape:
            raise EvaluatorError(
                f"a target of the data has shape {tuple(y.shape[1:])}, and so must have the "
                f"network's output; it has {tuple(output.shape[1:])}"
            )
        return F.mse_loss(output, wanted)

    def metrics(self, output: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        """Mean squared and absolute error, and the share of variance explained (mean over d)."""
        error = output * self.deviation + self.mean - y
        squared = error.square()
        spread = (y - y.mean(0)).square().sum(0).clamp_min(1e-12)
        return {
            "mse": squared.mean().item(),
            "mae": error.abs().mean().item(),
            "r2": (1 - squared.sum(0) / spread).mean().item(),
        }


def numbers_of(y: torch.Tensor) -> Numbers:
    """The goal of learning numbers like ``y`` (n, d), the training targets."""
    deviation = y.std(0, correction=0)
    return Numbers(mean=y.mean(0), deviation=torch.where(deviation > 0, deviation, 1.0))
