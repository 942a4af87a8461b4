"""The contract of a model: fitted now and then, asked about candidates at every ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from morphml.optimizers.surrogate.points import Floats, Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known when a prediction is asked for."""

    points: Points
    #: Shape (n,), one for each point, smaller is better.
    targets: Floats
    #: Points under evaluation, of which no result is known.
    pending: Points


class Fitted(Protocol):
    """A model with its parameters chosen."""

    def predict(self, known: Known, candidates: Points) -> tuple[Floats, Floats]:
        """Means and deviations (> 0) of the candidates' targets, each of shape (m,)."""
        ...


class Regression(Protocol):
    """A kind of model. Keeps nothing: the same points and targets give the same model."""

    def fit(self, points: Points, targets: Floats) -> Fitted:
        """The model for these points; ``targets`` have mean 0 and deviation 1."""
        ...
