"""A data set made ready for training on one device, kept for all trials of a process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from morphml.evaluation.data.dataset import Dataset, Part, arrays_of
from morphml.evaluation.data.loading import Source, load_dataset
from morphml.evaluation.data.splitting import Split, split
from morphml.optimizers.events import JSON
from morphml.settings import read_settings

if TYPE_CHECKING:
    from morphml.evaluation.training.tensors import Tensors

#: Heavy modules of every training; torch imports the second when the first optimizer is made.
NEEDS = ("torch", "torch._dynamo", "morphml.evaluation.training.running")
#: Share of the training part that is held out unless said otherwise.
VALIDATION = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DataChoice:
    """Which data, and how it is split."""

    #: See `load_dataset`.
    source: Source
    #: Share of the training part that architectures are compared by.
    validation: float = VALIDATION
    #: Seed of the split; the same for all trials, so that they are compared on the same samples.
    split_seed: int = 0
    #: Classes, kept in their shares; else numbers.
    classes: bool

    def load(self) -> Split:
        """The parts; a data set named or in a file is read once per process.

        Raises:
            CallerError: when it cannot be found, or does not split.
        """
        return split(
            self.dataset(),
            validation=self.validation,
            seed=self.split_seed,
            stratify=self.classes,
        )

    def dataset(self) -> Dataset:
        """The data set, not split."""
        return load_dataset(self.source, folder=read_settings().data.folder)

    def digest(self) -> str:
        """What exactly is trained and compared on, 32 hexadecimal digits; O(bytes of data)."""
        found = hashlib.blake2b(digest_size=16)
        found.update(f"{self.validation!r}/{self.split_seed}/{self.classes}".encode())
        dataset = self.dataset()
        for part in (dataset.train, dataset.test):
            if part is not None:
                _add(found, part)
        return found.hexdigest()

    def arguments(self) -> dict[str, JSON] | None:
        """The arguments that make this choice again elsewhere; None for arrays in memory."""
        if not isinstance(self.source, str | Path):
            return None
        return {
            "data": str(self.source),
            "validation": self.validation,
            "split_seed": self.split_seed,
        }

    def words(self) -> list[str]:
        """The arguments that say this choice, as Python source; arrays in short."""
        shown = isinstance(self.source, str | Path)
        parts = [repr(self.source) if shown else f"<{type(self.source).__name__} of arrays>"]
        if self.validation != VALIDATION:
            parts.append(f"validation={self.validation!r}")
        if self.split_seed:
            parts.append(f"split_seed={self.split_seed!r}")
        return parts


class PreparedData:
    """The parts of a choice as tensors on a device; loaded when first asked for, then kept.

    Args:
        choice: which data.
        check: what is done to the split before; raises where it does not suit.
    """

    def __init__(self, choice: DataChoice, check: Callable[[Split], Split]) -> None:
        self.choice = choice
        self._check = check
        self._tensors: Tensors | None = None

    def on(self, device: str) -> Tensors:
        """The tensors on ``device``.

        Raises:
            CallerError: when the data is missing, or not of the kind that is needed.
        """
        from morphml.evaluation.training.tensors import tensors_of  # noqa: PLC0415 - torch is heavy

        if self._tensors is None or self._tensors.device != device:
            split = self._check(self.choice.load())
            self._tensors = tensors_of(split, device=device, classes=self.choice.classes)
        return self._tensors

    def __getstate__(self) -> dict[str, object]:
        """All but the tensors: another process loads its own."""
        return {**self.__dict__, "_tensors": None}


def _add(found: hashlib.blake2b, part: Part) -> None:
    for name, array in (*sorted(arrays_of(part.x).items()), ("y", part.y)):
        found.update(f"{name}:{array.dtype}:{array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
