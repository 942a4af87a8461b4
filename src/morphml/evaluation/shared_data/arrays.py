"""Arrays in tuples, lists and mappings as files of a folder, and mapped from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphml.errors import EvaluatorError

#: Says what the files of a folder are to each other; written last.
LAYOUT = "layout.json"


def write(folder: Path, value: object) -> None:
    """Write a value into an empty folder.

    Args:
        folder: is there.
        value: arrays, or what becomes one by ``numpy.asarray`` (such as a tensor of the CPU), plain
            numbers and texts, in tuples, lists and mappings by text, as deep as one likes.

    Raises:
        EvaluatorError: when something in it is none of these, or an array of Python objects.
        OSError: when the disk refuses.
    """
    layout = _Writer(folder).put(value, "")
    (folder / LAYOUT).write_text(json.dumps(layout), encoding="utf-8")


def read(folder: Path) -> object:
    """The value, its arrays mapped: no byte is read before it is used, and none is copied.

    What a process writes into an array stays its own: the pages that it touches are copied for it.

    Raises:
        OSError: when a file is not there.
    """
    return _value(folder, json.loads((folder / LAYOUT).read_text(encoding="utf-8")))


def read_file(path: Path) -> NDArray[np.generic]:
    """The array of a ``.npy`` file, mapped in the same way.

    Raises:
        EvaluatorError: when it holds Python objects, or is no such file.
        OSError: when it cannot be read.
    """
    try:
        array = np.load(path, mmap_mode="c", allow_pickle=False)
    except ValueError as error:
        raise EvaluatorError(f"dataset: {path} cannot be mapped: {error}") from None
    assert isinstance(array, np.ndarray)
    return array


class _Writer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def put(self, value: object, where: str) -> dict[str, Any]:
        if value is None or isinstance(value, bool | int | float | str):
            return {"plain": value}
        if isinstance(value, Mapping):
            texts = [name for name in value if not isinstance(name, str)]
            if texts:
                raise EvaluatorError(f"dataset{where}: names are texts, got {texts[0]!r}")
            return {"by_name": {k: self.put(v, f"{where}[{k!r}]") for k, v in value.items()}}
        if isinstance(value, tuple | list):
            word = "tuple" if isinstance(value, tuple) else "list"
            return {word: [self.put(each, f"{where}[{i}]") for i, each in enumerate(value)]}
        return {"file": self._array(value, where)}

    def _array(self, value: object, where: str) -> str:
        # What is neither an array nor says how to become one would end as an array of one object.
        array = np.asarray(value) if hasattr(value, "__array__") else None
        if array is None or array.dtype.hasobject:
            kind = type(value).__name__ if array is None else "an array of Python objects"
            raise EvaluatorError(
                f"dataset{where}: arrays, numbers and texts can be shared, in tuples, lists and "
                f"mappings; got {kind}"
            )
        name = f"{self._count}.npy"
        self._count += 1
        np.save(self._folder / name, array, allow_pickle=False)
        return name


def _value(folder: Path, layout: dict[str, Any]) -> object:
    ((word, inner),) = layout.items()
    match word:
        case "plain":
            return inner
        case "by_name":
            return {name: _value(folder, each) for name, each in inner.items()}
        case "tuple":
            return tuple(_value(folder, each) for each in inner)
        case "list":
            return [_value(folder, each) for each in inner]
        case _:
            return read_file(folder / inner)
