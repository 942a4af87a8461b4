"""Numbers brought to mean 0 and deviation 1, by the training samples alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from morphml.errors import CallerError
from morphml.evaluation.data.dataset import Features, Part
from morphml.evaluation.data.splitting import Split


def standardized(split: Split) -> Split:
    """The split with each input feature of mean 0 and deviation 1, and targets as (n, d) floats.

    Integer inputs of 64 bits are tokens, and stay. Features that never change become 0.

    Raises:
        CallerError: when targets are no numbers (n,) or (n, d), or not finite.
    """
    parts = [
        None if part is None else _with_columns(part)
        for part in (split.train, split.validation, split.test)
    ]
    train, validation, test = parts
    assert train is not None
    assert validation is not None
    return Split(
        train=_scaled(train, train.x),
        validation=_scaled(validation, train.x),
        test=None if test is None else _scaled(test, train.x),
    )


def _with_columns(part: Part) -> Part:
    y = part.y
    if y.ndim not in (1, 2) or y.dtype.kind not in "iuf" or not np.isfinite(y).all():
        raise CallerError(
            f"targets are finite numbers (n,) or (n, d); got {y.dtype} of shape {y.shape}"
        )
    return Part(x=part.x, y=y.astype(np.float32).reshape(len(y), -1))


def _scaled(part: Part, by: Features) -> Part:
    if isinstance(part.x, Mapping):
        assert isinstance(by, Mapping)
        return Part(x={name: _array(x, by[name]) for name, x in part.x.items()}, y=part.y)
    assert not isinstance(by, Mapping)
    return Part(x=_array(part.x, by), y=part.y)


def _array(array: NDArray[np.generic], by: NDArray[np.generic]) -> NDArray[np.generic]:
    if by.dtype == np.int64:
        return array
    known = by.astype(np.float32)
    deviation = known.std(axis=0)
    scale = np.where(deviation > 0, deviation, np.float32(1))
    return np.asarray((array.astype(np.float32) - known.mean(axis=0)) / scale)
