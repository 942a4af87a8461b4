"""Regression: train an architecture on samples with numbers and score it on held-out ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Unpack

from morphml.evaluation.contract import SetupContext
from morphml.evaluation.data.loading import Source
from morphml.evaluation.training.options import Options
from morphml.evaluation.training.prepared import NEEDS, VALIDATION, DataChoice
from morphml.evaluation.training.recipe import Recipe
from morphml.evaluation.training.standardization import standardized
from morphml.evaluation.trial import Trial
from morphml.optimizers.events import JSON

if TYPE_CHECKING:
    from morphml.space import Architecture


class Regression:
    """Evaluator: trains with squared error; ``mse``, ``mae``, ``r2`` on validation samples.

    Inputs and targets are brought to mean 0 and deviation 1 of the training samples, feature by
    feature; the metrics are in the data's own units.

    Args:
        data: ``npz:PATH``, a file, or arrays; targets are numbers (n,) or (n, d), and the
            network's output has shape (d,); (1,) for targets (n,).
        validation: share of the training part that is held out; the test part is never touched.
        split_seed: seed of that split, which is the same for all trials.
        options: see `TrainingOptions`; each may also be a hyperparameter of the space, which then
            counts for its trial.

    Raises:
        CallerError: for an option that does not exist or has a wrong value.

    >>> Regression("npz:houses.npz", batch_size=32)
    Regression('npz:houses.npz', batch_size=32)
    """

    #: Declares the rule of training for the result cache; raised when results would change.
    version = "1"
    #: Heavy modules to import before processes are forked.
    needs = NEEDS

    def __init__(
        self,
        data: Source,
        *,
        validation: float = VALIDATION,
        split_seed: int = 0,
        **options: Unpack[Options],
    ) -> None:
        choice = DataChoice(
            source=data, validation=validation, split_seed=split_seed, classes=False
        )
        self._recipe = Recipe(choice, standardized, options)

    @property
    def arguments(self) -> Mapping[str, JSON] | None:
        """What makes an equal evaluator on another machine; None where arrays were given."""
        return self._recipe.arguments

    def setup(self, context: SetupContext) -> None:
        """Load the data onto the device; the first call does it where nobody did before.

        Raises:
            CallerError: when the data is missing (says where to get it) or its targets are none.
        """
        self._recipe.data(context.device)

    def __call__(self, architecture: Architecture, trial: Trial, /) -> dict[str, float]:
        """``mse``, ``mae`` and ``r2``, reported after each epoch.

        Raises:
            EvaluatorError: when network and data do not fit, or training diverges.
        """
        from morphml.evaluation.training.goal import numbers_of  # noqa: PLC0415 - torch is heavy
        from morphml.evaluation.training.running import train  # noqa: PLC0415 - torch is heavy

        options = self._recipe.options(trial.params)
        tensors = self._recipe.data(trial.device)
        goal = numbers_of(tensors.train.y)
        return train(architecture, trial, tensors=tensors, goal=goal, options=options)

    def score(
        self,
        architecture: Architecture,
        weights: object,
        *,
        part: str,
        device: str,
        data: Source | None = None,
    ) -> tuple[dict[str, float], int]:
        """``mse``, ``mae`` and ``r2`` of trained weights, and of how many samples.

        Args:
            architecture: what was trained, on the evaluator's own data: its scale is that of these.
            weights: its state, tensors by name.
            part: ``train``, ``validation``, ``test``, or ``all`` that is not test.
            device: such as ``cpu`` or ``cuda:0``.
            data: what to score on; by default what is trained on.

        Raises:
            CallerError: when the data has no such part.
            EvaluatorError: when network, weights and data do not fit.
        """
        from morphml.evaluation.training.goal import numbers_of  # noqa: PLC0415 - torch is heavy
        from morphml.evaluation.training.running import score  # noqa: PLC0415 - torch is heavy

        samples = self._recipe.part(part, device, data)
        goal = numbers_of(self._recipe.part("train", device).y)
        return score(architecture, weights, part=samples, goal=goal), len(samples)

    @property
    def digest(self) -> str:
        """Names rule, options and data exactly, for the result cache; O(bytes of data)."""
        return self._recipe.digest(f"regression/{self.version}")

    def __repr__(self) -> str:
        return f"Regression{self._recipe!r}"
