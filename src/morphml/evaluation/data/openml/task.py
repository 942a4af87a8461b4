"""A supervised task of OpenML as a data set: its rows, split as the task says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from morphml.errors import CallerError
from morphml.evaluation.data.dataset import Dataset, Part
from morphml.evaluation.data.openml.arff import Attribute, Cell, Table, parse_arff
from morphml.evaluation.data.openml.cache import SERVER, OpenMLCache

#: Where tasks are kept unless a folder of data sets is named.
USUAL_FOLDER = Path("~/.cache/morphml")
_KINDS = ("Supervised Classification", "Supervised Regression")


def openml_task(
    number: int, *, fold: int = 0, folder: Path | None = None, server: str = SERVER
) -> Dataset:
    """The rows of a task, as numbers; train and test part are those of one fold.

    Numbers become one column each, with mean 0 and deviation 1 by the training rows; where one is
    missing, the mean stands. Words become a column of 0 and 1 each; where one is missing, all are
    0. Columns of texts and those that the data set says to ignore are left out. The target becomes
    a class from 0, in the order in which the words are declared, or stays a number.

    Args:
        number: of the task, such as 31.
        fold: of its first repetition.
        folder: what was fetched is kept in its folder ``openml``; by default in ``USUAL_FOLDER``.
        server: where OpenML answers.

    Raises:
        CallerError: OpenML has no such task, or it is none with a target, or has no such fold.
        WorkerError: it is not kept, and OpenML cannot be reached.
    """
    cache = OpenMLCache((folder or USUAL_FOLDER).expanduser() / "openml", server)
    task = cache.description("task", number)
    inputs = {str(each.get("name")): each for each in task.get("input", ())}
    kind = task.get("task_type")
    if kind not in _KINDS:
        raise CallerError(f"OpenML task {number}: is {kind!r}; used are {' and '.join(_KINDS)}")
    try:
        source = inputs["source_data"]["data_set"]
        splits_url = inputs["estimation_procedure"]["estimation_procedure"]["data_splits_url"]
        data = cache.description("data", int(source["data_set_id"]))
        target = str(source["target_feature"])
        rows = _rows(cache, data)
    except (KeyError, TypeError) as error:
        raise CallerError(f"OpenML task {number}: its description lacks {error}") from error
    splits = cache.file(f"splits-{number}.arff", str(splits_url))
    train, test = _fold(parse_arff(splits.read_text(encoding="utf-8"), str(splits)), fold, number)
    y = _target(rows, target, number)
    features = _features(rows, {target, *_ignored(data)}, train)
    return Dataset(
        name=f"openml-{number}",
        train=Part(x=features[train], y=y[train]),
        test=Part(x=features[test], y=y[test]),
    )


def _rows(cache: OpenMLCache, data: Mapping[str, Any]) -> Table:
    number = int(data["id"])
    if str(data.get("format", "ARFF")).lower() not in ("arff", "sparse_arff"):
        raise CallerError(f"OpenML data {number}: its format is {data['format']!r}, ARFF is read")
    path = cache.file(f"data-{number}.arff", str(data["url"]), md5=data.get("md5_checksum"))
    return parse_arff(path.read_text(encoding="utf-8"), str(path))


def _ignored(data: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for key in ("row_id_attribute", "ignore_attribute"):
        named = data.get(key) or []
        found.update(named.split(",") if isinstance(named, str) else map(str, named))
    return found


def _fold(
    splits: Table, fold: int, number: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of the rows to learn from, and of those to test on."""
    found: dict[str, list[int]] = {"TRAIN": [], "TEST": []}
    names = [each.name.lower() for each in splits.attributes]
    folds = set()
    for row in splits.rows:
        cells = dict(zip(names, row, strict=True))
        if cells.get("repeat") == 0 and cells.get("sample", 0) == 0:
            folds.add(int(cells["fold"] or 0))
            if cells["fold"] == fold and cells["type"] in found:
                found[str(cells["type"])].append(int(cells["rowid"] or 0))
    if not found["TRAIN"] or not found["TEST"]:
        raise CallerError(f"OpenML task {number}: has no fold {fold}; there are {sorted(folds)}")
    return np.array(found["TRAIN"], dtype=np.intp), np.array(found["TEST"], dtype=np.intp)


def _target(table: Table, name: str, number: int) -> npt.NDArray[np.generic]:
    attribute = next((each for each in table.attributes if each.name == name), None)
    if attribute is None or not (attribute.numeric or attribute.words):
        raise CallerError(f"OpenML task {number}: its target {name!r} is no column of classes")
    column = table.column(name)
    if None in column:
        raise CallerError(f"OpenML task {number}: row {column.index(None)} has no {name!r}")
    if attribute.words is None:
        return np.array(column, dtype=np.float32)
    return np.array([attribute.words.index(str(cell)) for cell in column], dtype=np.int64)


def _features(
    table: Table, left_out: set[str], train: npt.NDArray[np.intp]
) -> npt.NDArray[np.float32]:
    """(rows, columns)."""
    columns: list[npt.NDArray[np.float32]] = []
    for attribute in table.attributes:
        if attribute.name in left_out or not (attribute.numeric or attribute.words):
            continue
        cells = table.column(attribute.name)
        columns += _numbers(cells, train) if attribute.numeric else _words(cells, attribute)
    return np.stack(columns, axis=1) if columns else np.zeros((len(table.rows), 0), np.float32)


def _numbers(cells: Sequence[Cell], train: npt.NDArray[np.intp]) -> list[npt.NDArray[np.float32]]:
    values = np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    known = values[train][~np.isnan(values[train])]
    mean, deviation = (known.mean(), known.std()) if known.size else (0.0, 0.0)
    values = np.where(np.isnan(values), mean, values) - mean
    return [(values / (deviation or 1.0)).astype(np.float32)]


def _words(cells: Sequence[Cell], attribute: Attribute) -> list[npt.NDArray[np.float32]]:
    held = np.array(cells, dtype=object)
    return [(held == word).astype(np.float32) for word in attribute.words or ()]
