"""What a built-in evaluator trains on and how: the part that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from morphml.evaluation.data.splitting import Split
from morphml.evaluation.training.options import Options, TrainingOptions
from morphml.evaluation.training.prepared import DataChoice, PreparedData
from morphml.ids import digest
from morphml.optimizers.events import JSON

if TYPE_CHECKING:
    from morphml.evaluation.training.tensors import Tensors


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
