"""Scikit-learn's handwritten digits: 1,797 images of 8 x 8, bundled with the package."""

from __future__ import annotations

import numpy as np

from morphml.errors import MissingExtraError
from morphml.evaluation.data.dataset import Dataset, Part


def digits() -> Dataset:
    """Images (1797, 1, 8, 8) float32 in [0, 1], ten classes; needs no network.

    Source: test part of UCI "Optical Recognition of Handwritten Digits" (Alpaydin, Kaynak, 1998).

    Raises:
        MissingExtraError: when scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415 - heavy, and optional
    except ImportError:
        raise MissingExtraError("the data set 'digits'", extra="torch") from None
    images, labels = load_digits(return_X_y=True)
    x = (images / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
    return Dataset(name="digits", train=Part(x=x, y=labels.astype(np.int64)))
