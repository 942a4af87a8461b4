"""Data sets in numpy's ``.npz`` archives."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from morphml.errors import CallerError
from morphml.evaluation.data.dataset import Dataset, Part

#: Arrays that are read from an archive; others in it are left alone.
NAMES = ("x", "y", "x_train", "y_train", "x_test", "y_test")


def read_npz(path: Path) -> Dataset:
    """The archive's arrays as they are; nothing in it is unpickled.

    Args:
        path: an archive with x, y; or with x_train, y_train and, both or none, x_test, y_test.
            (Keras' ``mnist.npz`` has the latter form.)

    Raises:
        CallerError: when the file is missing, no archive, or has other names in it.
    """
    if not path.is_file():
        raise CallerError(f"there is no file {path}; 'npz:PATH' needs an .npz with x and y in it")
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it holds a single array")
            arrays = {name: archive[name] for name in NAMES if name in archive.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise CallerError(f"{path} is not a readable .npz: {error}") from error
    return dataset_of(arrays, name=path.stem)


def dataset_of(arrays: Mapping[str, NDArray[np.generic]], *, name: str) -> Dataset:
    """The data set made of named arrays: x, y, or x_train, y_train and maybe x_test, y_test."""
    if {"x", "y"} <= set(arrays):
        return Dataset(name=name, train=Part(x=arrays["x"], y=arrays["y"]))
    if {"x_train", "y_train"} <= set(arrays):
        train = Part(x=arrays["x_train"], y=arrays["y_train"])
        if {"x_test", "y_test"} <= set(arrays):
            return Dataset(
                name=name, train=train, test=Part(x=arrays["x_test"], y=arrays["y_test"])
            )
        return Dataset(name=name, train=train)
    names = ", ".join(sorted(arrays)) or "nothing of that kind"
    raise CallerError(
        f"{name}: a data set needs x and y, or x_train and y_train (and x_test, y_test); "
        f"found {names}"
    )
