"""Data sets by name, loaded once per process."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from morphml.errors import CallerError
from morphml.evaluation.data.archive import dataset_of, read_npz
from morphml.evaluation.data.dataset import Dataset
from morphml.evaluation.data.digits import digits
from morphml.evaluation.data.fashion_mnist import fashion_mnist
from morphml.evaluation.data.openml import openml_task

#: How a data set is said: a name (``digits``, ``fashion_mnist``, ``fashion_mnist:FOLDER``,
#: ``npz:PATH``, ``openml:TASK`` or ``openml:TASK/FOLD``), an ``.npz`` file, arrays (x, y) or
#: (x_train, y_train, x_test, y_test), the same by name, or a data set.
Source = str | Path | tuple[NDArray[np.generic], ...] | Mapping[str, NDArray[np.generic]] | Dataset

_ORDERS = {2: ("x", "y"), 4: ("x_train", "y_train", "x_test", "y_test")}


def load_dataset(source: Source, *, folder: Path | None = None) -> Dataset:
    """The data set that ``source`` says; one given by name or path is loaded once per process.

    Args:
        source: see `Source`.
        folder: folder of data sets, where a name is looked up and a relative path is tried second.

    Raises:
        CallerError: an unknown name, or a missing file; the message says where to get it.
    """
    match source:
        case Dataset():
            return source
        case str():
            return _named(source, folder)
        case Path():
            return _archive(_existing(source, folder))
        case tuple():
            if len(source) not in _ORDERS:
                raise CallerError(
                    "arrays come as (x, y) or (x_train, y_train, x_test, y_test), "
                    f"got {len(source)} of them"
                )
            return dataset_of(dict(zip(_ORDERS[len(source)], source, strict=True)), name="arrays")
        case _:
            return dataset_of(source, name="arrays")


def _named(text: str, folder: Path | None) -> Dataset:
    name, _, rest = text.partition(":")
    if name == "digits" and not rest:
        return _digits()
    if name == "fashion_mnist":
        return _fashion_mnist(Path(rest) if rest else None, folder)
    if name == "npz" and rest:
        return _archive(_existing(Path(rest), folder))
    if name == "openml" and rest:
        return _openml(rest, folder)
    raise CallerError(
        f"no data set is called {text!r}; there are 'digits', 'fashion_mnist', "
        "'fashion_mnist:FOLDER', 'npz:PATH' and 'openml:TASK', and arrays can be given as they are"
    )


@functools.cache
def _openml(text: str, folder: Path | None) -> Dataset:
    task, _, fold = text.partition("/")
    if not task.isdecimal() or not (fold or "0").isdecimal():
        raise CallerError(f"openml: a task's number, such as 'openml:31', got 'openml:{text}'")
    return openml_task(int(task), fold=int(fold or 0), folder=folder)


def _existing(path: Path, folder: Path | None) -> Path:
    if folder is not None and not path.is_file() and (folder / path).is_file():
        return folder / path
    return path


# Kept for the life of the process: every trial of a child trains on the same arrays.
_digits = functools.cache(digits)
_fashion_mnist = functools.cache(fashion_mnist)
_archive = functools.cache(read_npz)
