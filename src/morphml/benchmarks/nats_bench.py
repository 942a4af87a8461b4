"""Reads the published NATS-Bench files of the topology space, without running what is in them.

A pickle may hold code. Here only numbers, texts, lists, tuples, sets and dicts are made from it;
anything else ends the reading with an error.
"""

from __future__ import annotations

import bz2
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from morphml.errors import CallerError

#: Lists all cells in a folder ``NATS-tss-...-simple``; each cell has a file of its own.
META = "meta.pickle.pbz2"
ENDING = ".pickle.pbz2"
#: Column to epochs and, by our ending of the data set, the published data set and split.
_COLUMNS: Mapping[str, tuple[str, Mapping[str, tuple[str, str]]]] = {
    "test_200": (
        "200",
        {
            "c10": ("cifar10", "ori-test"),
            "c100": ("cifar100", "x-test"),
            "in16": ("ImageNet16-120", "x-test"),
        },
    ),
    "val_12": (
        "12",
        {
            "c10": ("cifar10-valid", "x-valid"),
            "c100": ("cifar100", "x-valid"),
            "in16": ("ImageNet16-120", "x-valid"),
        },
    ),
}
#: Containers that older pickle protocols name; each is made by the built-in one.
_CONTAINERS: Mapping[tuple[str, str], type] = {
    ("collections", "OrderedDict"): dict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
}


class _PlainUnpickler(pickle.Unpickler):
    """Makes plain values only."""

    def find_class(self, module: str, name: str) -> type:
        """A container; nothing else has a name here."""
        found = _CONTAINERS.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return found

    def persistent_load(self, pid: object) -> NoReturn:
        """Refused: it stands for something outside the file."""
        raise pickle.UnpicklingError(f"it refers to {pid!r}")


def is_nats_bench(path: Path) -> bool:
    """Whether it is a published file, or a folder of such files."""
    return path.name.endswith(ENDING) or (path / META).is_file()


def read_plain(path: Path) -> Any:  # noqa: ANN401 whatever the file holds, made of plain values
    """What a ``.pickle.pbz2`` file holds.

    Raises:
        CallerError: it cannot be read, or holds anything but plain values.
    """
    try:
        with bz2.open(path, "rb") as file:
            return _PlainUnpickler(file).load()
    except (pickle.UnpicklingError, OSError, EOFError, ValueError, TypeError) as error:
        raise CallerError(
            f"{path}: not read, since it is no file of plain values: {error}"
        ) from error


def read_cells(path: Path) -> tuple[list[str], Callable[[int], Mapping[str, Any]]]:
    """Every cell as the published text, and how to get the results of one by its place.

    Args:
        path: the file ``NATS-tss-v1_0-....pickle.pbz2``, or the folder that ends in ``-simple``.

    Raises:
        CallerError: it is neither.
    """
    whole = read_plain(path / META if path.is_dir() else path)
    if not isinstance(whole, dict) or "meta_archs" not in whole:
        raise CallerError(f"{path}: is no NATS-Bench file: it has no 'meta_archs'")
    cells = [str(cell) for cell in whole["meta_archs"]]
    if path.is_dir():
        return cells, lambda place: read_plain(path / f"{place:06d}{ENDING}")
    results = whole.get("arch2infos")
    if not isinstance(results, dict):
        raise CallerError(f"{path}: has no results; give the folder that ends in -simple")
    return cells, results.__getitem__


def read_nats_bench(
    path: Path, ending: str, columns: tuple[str, ...]
) -> tuple[list[list[str]], dict[str, npt.NDArray[np.float64]]]:
    """The operations of every cell, and columns of accuracies in %, means over the seeds.

    Args:
        path: as for ``read_cells``.
        ending: ``c10``, ``c100`` or ``in16``.
        columns: of ``test_200`` and ``val_12``.

    Raises:
        CallerError: it cannot be read, or a cell has no such result.
    """
    cells, results_of = read_cells(path)
    values = {name: np.empty(len(cells)) for name in columns}
    for place in range(len(cells)):
        try:
            results = results_of(place)
            for name in columns:
                epochs, splits = _COLUMNS[name]
                values[name][place] = _accuracy(results[epochs], int(epochs), *splits[ending])
        except (KeyError, TypeError, ZeroDivisionError) as error:
            raise CallerError(f"{path}: cell {place} lacks a result: {error!r}") from error
    return [operations(cell) for cell in cells], values


def operations(cell: str) -> list[str]:
    """The operations of a cell such as ``|a~0|+|b~0|c~1|``, edge by edge, in the text's order."""
    edges = [edge for node in cell.split("+") for edge in node.strip("|").split("|")]
    return [edge.partition("~")[0] for edge in edges]


def _accuracy(results: Mapping[str, Any], epochs: int, data_set: str, split: str) -> float:
    """The accuracy after the last epoch, the mean over the seeds."""
    seeds = results["dataset_seed"][data_set]
    runs = [results["all_results"][data_set, seed] for seed in seeds]
    return sum(float(run["eval_acc1es"][f"{split}@{epochs - 1}"]) for run in runs) / len(runs)
