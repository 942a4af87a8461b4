"""Reads columns by name from npz, CSV and parquet files."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from morphml.errors import CallerError, MissingExtraError

#: What numpy raises for a file that is no archive of arrays, or a broken one.
UNREADABLE = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error)
#: Values of a column: all texts, all numbers, or all truth values.
Column: TypeAlias = Sequence[str | float]


def read_columns(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """The columns with these names, all of one length.

    Args:
        path: a ``.npz``, ``.csv`` or ``.parquet`` file.
        names: at least one.

    Raises:
        CallerError: no such file, column or format, or columns of several lengths.
        MissingExtraError: pandas and pyarrow are not there for a parquet file.
    """
    if not path.is_file():
        raise CallerError(f"{path}: there is no such file")
    match path.suffix.lower():
        case ".npz":
            found = _from_npz(path, names)
        case ".csv":
            found = _from_csv(path, names)
        case ".parquet":
            found = _from_parquet(path, names)
        case other:
            raise CallerError(f"{path}: a table is a .npz, .csv or .parquet file, got {other!r}")
    lengths = {name: len(column) for name, column in found.items()}
    if len(set(lengths.values())) > 1:
        raise CallerError(f"{path}: columns of several lengths: {lengths}")
    if not next(iter(lengths.values())):
        raise CallerError(f"{path}: the table has no row")
    return found


def _check_names(path: Path, wanted: Sequence[str], there: Sequence[str]) -> None:
    absent = [name for name in wanted if name not in there]
    if absent:
        raise CallerError(
            f"{path}: no column {', '.join(map(repr, absent))}; there are "
            f"{', '.join(there) or 'none'}"
        )
    twice = [name for name in wanted if list(there).count(name) > 1]
    if twice:
        raise CallerError(f"{path}: there are several columns {twice[0]!r}")


@contextmanager
def open_arrays(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """The arrays of an ``.npz`` file; no code in it is run.

    Raises:
        Those of ``UNREADABLE``, where it is no such file.
    """
    # numpy leaves a file open that it was given by name and could not read.
    with path.open("rb") as stream:
        found = np.load(stream, allow_pickle=False)
        if not isinstance(found, np.lib.npyio.NpzFile):
            raise ValueError("it holds one array without a name")
        with found:
            yield found


def _from_npz(path: Path, names: Sequence[str]) -> dict[str, Column]:
    try:
        return _columns_of_arrays(path, names)
    except UNREADABLE as error:
        raise CallerError(f"{path}: is no readable .npz file: {error}") from error


def _columns_of_arrays(path: Path, names: Sequence[str]) -> dict[str, Column]:
    with open_arrays(path) as arrays:
        _check_names(path, names, arrays.files)
        found = {name: _array(path, arrays, name) for name in names}
    flat = [name for name, array in found.items() if array.ndim != 1]
    if flat:
        raise CallerError(f"{path}: {flat[0]!r} has shape {found[flat[0]].shape}; one axis is used")
    return {name: array.tolist() for name, array in found.items()}


def _array(path: Path, arrays: np.lib.npyio.NpzFile, name: str) -> npt.NDArray[np.generic]:
    try:
        array: npt.NDArray[np.generic] = arrays[name]
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise
        raise CallerError(
            f"{path}: {name!r} was saved as Python objects, which are not read since they may run "
            f"code; save it with .astype(str), or as numbers"
        ) from None
    return array


def _from_csv(path: Path, names: Sequence[str]) -> dict[str, Column]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines, strict=True)
            heads = next(reader, [])
            _check_names(path, names, heads)
            rows = list(_rows(path, reader, len(heads)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CallerError(f"{path}: is no CSV file in UTF-8: {error}") from None
    places = {name: heads.index(name) for name in names}
    return {name: _typed([row[place] for row in rows]) for name, place in places.items()}


def _rows(path: Path, lines: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    """The rows with something in them; each has a cell for each head."""
    for number, row in enumerate(lines, 2):
        if row and len(row) != width:
            raise CallerError(f"{path}: line {number} has {len(row)} cells for {width} columns")
        if row:
            yield row


def _typed(texts: list[str]) -> Column:
    """Whole numbers where all are, else numbers where all are, else truth values, else texts."""
    for kind in (int, float):
        try:
            return [kind(text) for text in texts]
        except ValueError:
            continue
    if all(text in {"True", "False", "true", "false"} for text in texts):
        return [text.lower() == "true" for text in texts]
    return texts


def _from_parquet(path: Path, names: Sequence[str]) -> dict[str, Column]:
    try:
        import pandas as pd  # noqa: PLC0415 heavy, and an optional extra

        frame = pd.read_parquet(path)
    except ImportError:
        raise MissingExtraError(f"{path}: reading parquet", extra="tables") from None
    except (ValueError, OSError) as error:
        raise CallerError(f"{path}: is no parquet file: {error}") from error
    _check_names(path, names, [str(name) for name in frame.columns])
    return {name: frame[name].tolist() for name in names}
