"""Scikit-learn's handwritten digits: 1,797 images of 8 x 8, bundled with the package."""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import numpy as np
import numpy.typing as npt

from morphml.errors import MissingExtraError
from morphml.evaluation.data.dataset import Dataset, Part

#: Where the package keeps them: a line for each image, its 64 pixels (0 to 16) and its class.
_FILE = Path("datasets", "data", "digits.csv.gz")


def digits() -> Dataset:
    """Images (1797, 1, 8, 8) float32 in [0, 1], ten classes; needs no network.

    Source: test part of UCI "Optical Recognition of Handwritten Digits" (Alpaydin, Kaynak, 1998).

    Raises:
        MissingExtraError: when scikit-learn is not installed.
    """
    table = _bundled()
    x = (table[:, :-1] / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
    return Dataset(name="digits", train=Part(x=x, y=table[:, -1].astype(np.int64)))


def _bundled() -> npt.NDArray[np.float64]:
    """The table as it lies in the package, whose import would take seconds in every process."""
    found = importlib.util.find_spec("sklearn")
    if found is None:
        raise MissingExtraError("the data set 'digits'", extra="torch")
    for folder in found.submodule_search_locations or ():
        path = Path(folder) / _FILE
        if path.is_file():
            with gzip.open(path, "rt", encoding="ascii") as file:
                return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits  # noqa: PLC0415 - heavy; its layout has changed

    images, labels = load_digits(return_X_y=True)
    return np.column_stack([images, labels])
