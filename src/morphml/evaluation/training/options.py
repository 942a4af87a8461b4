"""How the built-in training trains: settings, and the hyperparameters that override them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TypedDict

from morphml.errors import CallerError, EvaluatorError

OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop")
SCHEDULES = ("constant", "cosine")


class Options(TypedDict, total=False):
    """The keyword arguments of the built-in evaluators; see `TrainingOptions`."""

    epochs: int | None
    optimizer: str
    lr: float
    batch_size: int
    weight_decay: float
    momentum: float
    schedule: str
    patience: int | None
    min_delta: float
    clip_norm: float | None
    label_smoothing: float
    amp: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """Settings of one training. A hyperparameter of the same name in the space overrides each."""

    #: Epochs of a full trial; None: as many as the experiment says.
    epochs: int | None = None
    #: One of `OPTIMIZERS`.
    optimizer: str = "adam"
    #: Learning rate at the start, above 0.
    lr: float = 1e-3
    #: Samples in one step, at least 1.
    batch_size: int = 64
    weight_decay: float = 0.0
    #: For ``sgd`` and ``rmsprop``.
    momentum: float = 0.9
    #: One of `SCHEDULES`; ``cosine`` falls to 0 at the last epoch of a full trial.
    schedule: str = "constant"
    #: Stop after this many epochs in a row without a better validation score; None: never.
    patience: int | None = None
    #: What counts as better: by more than this.
    min_delta: float = 0.0
    #: Gradients are scaled down to this norm; None: never.
    clip_norm: float | None = None
    #: For classification, in [0, 1).
    label_smoothing: float = 0.0
    #: Half precision where the device has it (GPUs); never on a CPU.
    amp: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that cannot train."""
        for field in fields(self):
            _check_type(field.name, getattr(self, field.name), str(field.type))
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        limits = (
            ("lr", self.lr > 0, "above 0"),
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("epochs", self.epochs is None or self.epochs >= 1, "at least 1, or None"),
            ("patience", self.patience is None or self.patience >= 1, "at least 1, or None"),
            ("weight_decay", self.weight_decay >= 0, "at least 0"),
            ("label_smoothing", 0 <= self.label_smoothing < 1, "in [0, 1)"),
            ("clip_norm", self.clip_norm is None or self.clip_norm > 0, "above 0, or None"),
        )
        for name, holds, wanted in limits:
            if not holds:
                raise CallerError(f"{name} must be {wanted}, got {getattr(self, name)!r}")

    @classmethod
    def of(cls, options: Mapping[str, object]) -> TrainingOptions:
        """The settings with ``options`` in place of defaults.

        Raises:
            CallerError: for an option that does not exist or has a wrong value.
        """
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                raise CallerError(
                    f"the built-in training has no option {name!r}; it has {', '.join(known)}"
                )
        # Checked by __post_init__, field by field.
        return cls(**options)  # type: ignore[arg-type]

    def overridden(self, params: Mapping[str, object]) -> TrainingOptions:
        """These settings with a trial's hyperparameters in place.

        Raises:
            EvaluatorError: for a hyperparameter that the built-in training does not know.
        """
        known = {field.name for field in fields(self)}
        for name in params:
            if name not in known:
                raise EvaluatorError(
                    f"hyperparameter {name!r} means nothing to the built-in training; it knows "
                    f"{', '.join(sorted(known))}"
                )
        # Checked by __post_init__, field by field.
        return replace(self, **params)  # type: ignore[arg-type]


def _check_type(name: str, value: object, declared: str) -> None:
    kinds: dict[str, tuple[type, ...]] = {
        "int": (int,),
        "float": (int, float),
        "str": (str,),
        "bool": (bool,),
    }
    first, _, rest = declared.partition(" | ")
    if rest == "None" and value is None:
        return
    if not isinstance(value, kinds[first]) or (first != "bool" and isinstance(value, bool)):
        raise CallerError(f"{name} must be {declared}, got {value!r}")


def _one_of(name: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        raise CallerError(f"{name} must be one of {', '.join(words)}, got {value!r}")
