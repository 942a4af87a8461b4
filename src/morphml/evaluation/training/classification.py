"""Classification: train an architecture on labelled samples and score it on held-out ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Unpack

from morphml.errors import CallerError
from morphml.evaluation.contract import SetupContext
from morphml.evaluation.data.loading import Source
from morphml.evaluation.data.splitting import Split
from morphml.evaluation.training.options import Options
from morphml.evaluation.training.prepared import NEEDS, VALIDATION, DataChoice
from morphml.evaluation.training.recipe import Recipe
from morphml.evaluation.trial import Trial
from morphml.optimizers.events import JSON

if TYPE_CHECKING:
    from morphml.space import Architecture


class Classification:
    """Evaluator: trains with cross entropy; ``accuracy`` and ``loss`` on validation samples.

    Args:
        data: ``digits``, ``fashion_mnist``, ``fashion_mnist:FOLDER``, ``npz:PATH``, a file, or
            arrays; labels are integers from 0.
        validation: share of the training part that is held out; the test part is never touched.
        split_seed: seed of that split, which is the same for all trials.
        options: see `TrainingOptions`; each may also be a hyperparameter of the space, which then
            counts for its trial.

    Raises:
        CallerError: for an option that does not exist or has a wrong value.

    >>> Classification("digits", lr=0.01, patience=3)
    Classification('digits', lr=0.01, patience=3)
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
        choice = DataChoice(source=data, validation=validation, split_seed=split_seed, classes=True)
        self._recipe = Recipe(choice, check_labels, options)

    @property
    def arguments(self) -> Mapping[str, JSON] | None:
        """What makes an equal evaluator on another machine; None where arrays were given."""
        return self._recipe.arguments

    def setup(self, context: SetupContext) -> None:
        """Load the data onto the device; the first call does it where nobody did before.

        Raises:
            CallerError: when the data is missing (says where to get it) or its labels are none.
        """
        self._recipe.data(context.device)

    def __call__(self, architecture: Architecture, trial: Trial, /) -> dict[str, float]:
        """``accuracy`` in [0, 1] and ``loss``, reported after each epoch.

        Raises:
            EvaluatorError: when network and data do not fit, or training diverges.
        """
        from morphml.evaluation.training.goal import Classes  # noqa: PLC0415 - torch is heavy
        from morphml.evaluation.training.running import train  # noqa: PLC0415 - torch is heavy

        options = self._recipe.options(trial.params)
        tensors = self._recipe.data(trial.device)
        classes = 1 + max(int(part.y.max()) for part in (tensors.train, tensors.validation))
        goal = Classes(classes=classes, label_smoothing=options.label_smoothing)
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
        """``accuracy`` and ``loss`` of trained weights, and of how many samples.

        Args:
            architecture: what was trained.
            weights: its state, tensors by name.
            part: ``train``, ``validation``, ``test``, or ``all`` that is not test.
            device: such as ``cpu`` or ``cuda:0``.
            data: what to score on; by default what is trained on.

        Raises:
            CallerError: when the data has no such part.
            EvaluatorError: when network, weights and data do not fit.
        """
        from morphml.evaluation.training.goal import Classes  # noqa: PLC0415 - torch is heavy
        from morphml.evaluation.training.running import score  # noqa: PLC0415 - torch is heavy

        samples = self._recipe.part(part, device, data)
        goal = Classes(classes=1 + int(samples.y.max()))
        return score(architecture, weights, part=samples, goal=goal), len(samples)

    @property
    def digest(self) -> str:
        """Names rule, options and data exactly, for the result cache; O(bytes of data)."""
        return self._recipe.digest(f"classification/{self.version}")

    def __repr__(self) -> str:
        return f"Classification{self._recipe!r}"


def check_labels(split: Split) -> Split:
    """The split, whose labels are integers from 0.

    Raises:
        CallerError: when they are not.
    """
    labels = split.train.y
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise CallerError(
            f"labels are integers from 0, one per sample; got {labels.dtype} of shape "
            f"{labels.shape}. numpy.unique(y, return_inverse=True)[1] numbers any labels"
        )
    return split
