"""What a built-in evaluator trains on and how: the part that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from morphml.errors import CallerError
from morphml.evaluation.data.dataset import Part
from morphml.evaluation.data.loading import Source
from morphml.evaluation.data.splitting import Split
from morphml.evaluation.training.options import Options, TrainingOptions
from morphml.evaluation.training.prepared import DataChoice, PreparedData
from morphml.ids import digest
from morphml.optimizers.events import JSON

if TYPE_CHECKING:
    from morphml.evaluation.training.tensors import TensorPart, Tensors


class Recipe:
    """Data and settings of one evaluator, as they were given.

    Args:
        choice: which data.
        check: what is done to the split before; raises where it does not suit.
        given: the settings that were named; the others have their defaults.

    Raises:
        CallerError: for a setting that does not exist or has a wrong value.
    """

    def __init__(self, choice: DataChoice, check: Callable[[Split], Split], given: Options) -> None:
        self._choice = choice
        self._data = PreparedData(choice, check)
        self._options = TrainingOptions.of(given)
        self._given: Mapping[str, object] = given

    def data(self, device: str) -> Tensors:
        """The samples on ``device``; loaded when first asked for, then kept.

        Raises:
            CallerError: when the data is missing (says where to get it), or not of the kind that
                is needed.
        """
        return self._data.on(device)

    def part(self, name: str, device: str, data: Source | None = None) -> TensorPart:
        """One part of the data on ``device``; loaded anew, for use after a training.

        Args:
            name: ``train`` or ``validation`` of the split, ``test``, or ``all`` that is not test.
            device: such as ``cpu`` or ``cuda:0``.
            data: other data than that of the training.

        Raises:
            CallerError: for another name, or when there is no test part.
        """
        from morphml.evaluation.training.tensors import tensor_part  # noqa: PLC0415 - torch is heavy

        choice = self._choice if data is None else replace(self._choice, source=data)
        if name == "all":
            found: Part | None = choice.dataset().train
        elif name in ("train", "validation", "test"):
            split = choice.load()
            found = {"train": split.train, "validation": split.validation}.get(name, split.test)
        else:
            raise CallerError(f"part: train, validation, test or all, got {name!r}")
        if found is None:
            raise CallerError("part: this data set has no test part; name other data, or 'all'")
        return tensor_part(found, device=device, classes=choice.classes)

    def options(self, params: Mapping[str, object]) -> TrainingOptions:
        """The settings with a trial's hyperparameters in place.

        Raises:
            EvaluatorError: for a hyperparameter that the built-in training does not know.
        """
        return self._options.overridden(params)

    @property
    def arguments(self) -> Mapping[str, JSON] | None:
        """What makes an equal recipe on another machine; None where arrays were given."""
        data = self._choice.arguments()
        return None if data is None else {**data, **cast("Mapping[str, JSON]", self._given)}

    def digest(self, rule: str) -> str:
        """Names rule, settings and data exactly, for the result cache; O(bytes of data)."""
        return digest(f"{rule}/{self._options!r}/{self._choice.digest()}".encode())

    def __repr__(self) -> str:
        given = (f"{name}={value!r}" for name, value in self._given.items())
        return f"({', '.join([*self._choice.words(), *given])})"
