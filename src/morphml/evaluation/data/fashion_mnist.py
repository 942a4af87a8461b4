"""Fashion-MNIST: 70,000 images of 28 x 28 in ten classes (Xiao, Rasul, Vollgraf, 2017)."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from morphml.errors import CallerError
from morphml.evaluation.data.archive import read_npz
from morphml.evaluation.data.dataset import Dataset, Part

#: Where Debian's package dataset-fashion-mnist keeps its files.
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
_FOLDERS = ("", "fashion-mnist", "fashion_mnist", "FashionMNIST/raw", "fashion-mnist-small")
_IMAGES, _LABELS = 0x0803, 0x0801


def fashion_mnist(path: Path | None = None, folder: Path | None = None) -> Dataset:
    """Images (n, 1, 28, 28) float32 in [0, 1] with their published train and test parts.

    Args:
        path: the folder of the four published files (``*-ubyte``, gzipped or not), or an ``.npz``
            with x_train, y_train, x_test, y_test; None: in ``folder``, then where Debian has it.
        folder: folder of data sets (``MORPHML_DATA``).

    Raises:
        CallerError: when no files are found; the message says where to get them.
    """
    places = [path] if path is not None else list(_places(folder))
    for place in places:
        if place.suffix == ".npz" and place.is_file():
            return _scaled(read_npz(place))
        if _file(place, "train-images-idx3-ubyte") is not None:
            return _from_folder(place)
        for archive in sorted(place.glob("f*mnist*.npz")) if place.is_dir() else ():
            return _scaled(read_npz(archive))
    looked = ", ".join(str(place) for place in places)
    raise CallerError(
        f"Fashion-MNIST was not found; looked in {looked}. Install Debian's package "
        "dataset-fashion-mnist, or take the four .gz files from "
        "https://github.com/zalandoresearch/fashion-mnist and name their folder: "
        "'fashion_mnist:FOLDER', or MORPHML_DATA"
    )


def _places(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield from (folder / name for name in _FOLDERS)
    yield DEBIAN_FOLDER


def _from_folder(folder: Path) -> Dataset:
    def part(kind: str) -> Part:
        images = _idx(folder, f"{kind}-images-idx3-ubyte", _IMAGES)
        labels = _idx(folder, f"{kind}-labels-idx1-ubyte", _LABELS)
        return Part(x=images, y=labels)

    return _scaled(Dataset(name="fashion_mnist", train=part("train"), test=part("t10k")))


def _scaled(dataset: Dataset) -> Dataset:
    def part(raw: Part) -> Part:
        assert isinstance(raw.x, np.ndarray)
        x = raw.x.reshape(-1, 1, 28, 28).astype(np.float32) / np.float32(255)
        return Part(x=x, y=raw.y.astype(np.int64))

    test = None if dataset.test is None else part(dataset.test)
    return Dataset(name="fashion_mnist", train=part(dataset.train), test=test)


def _file(folder: Path, name: str) -> Path | None:
    candidates = (folder / name, folder / f"{name}.gz")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _idx(folder: Path, name: str, magic: int) -> NDArray[np.uint8]:
    """One file of the published format: magic number, sizes (big endian), bytes."""
    file = _file(folder, name)
    if file is None:
        raise CallerError(f"Fashion-MNIST: {folder} has no {name} (.gz)")
    try:
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        found, *sizes = struct.unpack_from(f">{1 + (magic & 0xFF)}i", data)
        body = np.frombuffer(data, dtype=np.uint8, offset=4 * (1 + len(sizes)))
        if found != magic or body.size != np.prod(sizes):
            raise ValueError(f"magic number {found:#06x}, {body.size} values for sizes {sizes}")
        return body.reshape(sizes)
    except (EOFError, OSError, ValueError, struct.error) as error:
        raise CallerError(f"{file} is not a whole idx file: {error}") from error
