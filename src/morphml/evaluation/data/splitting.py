"""Splits of a data set into parts, by seed alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from morphml.errors import CallerError
from morphml.evaluation.data.dataset import Dataset, Part
from morphml.seeds import generator


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """The parts of one data set: disjoint, and the same for the same seed on every machine."""

    #: What the weights are learned from.
    train: Part
    #: What the search compares architectures by.
    validation: Part
    #: What nothing is chosen by; None where the data set has no test part.
    test: Part | None


def split(dataset: Dataset, *, validation: float, seed: int, stratify: bool) -> Split:
    """The data set with a share of its training part kept for validation.

    Args:
        dataset: with or without a test part, which is passed on untouched.
        validation: share of the training part, above 0 and below 1.
        seed: same seed, same split.
        stratify: keep the share in each class; for classes only.

    Raises:
        CallerError: when the share leaves either part empty.
    """
    if not 0.0 < validation < 1.0:
        raise CallerError(f"validation is a share above 0 and below 1, got {validation!r}")
    rng = generator(seed, 0, f"split/{dataset.name}")
    part = dataset.train
    if stratify:
        groups = [np.flatnonzero(part.y == label) for label in np.unique(part.y)]
    else:
        groups = [np.arange(len(part))]
    held = np.sort(np.concatenate([_some(rows, validation, rng) for rows in groups]))
    kept = np.setdiff1d(np.arange(len(part)), held, assume_unique=True)
    if not len(held) or not len(kept):
        raise CallerError(
            f"{dataset.name}: {len(part)} samples cannot be split with validation={validation}; "
            "one part would be empty"
        )
    return Split(train=part.take(kept), validation=part.take(held), test=dataset.test)


def _some(rows: NDArray[np.intp], share: float, rng: np.random.Generator) -> NDArray[np.intp]:
    return rng.permutation(rows)[: round(share * len(rows))]
