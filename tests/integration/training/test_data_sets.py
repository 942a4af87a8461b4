from __future__ import annotations

import gzip
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from morphml.errors import CallerError
from morphml.evaluation.data import Dataset, Part, load_dataset
from morphml.evaluation.data.fashion_mnist import DEBIAN_FOLDER
from morphml.evaluation.data.splitting import split
from morphml.evaluation.training.prepared import DataChoice
from morphml.settings import read_settings

RNG = np.random.Generator(np.random.Philox(7))
IMAGES = {
    kind: RNG.integers(0, 256, (n, 28, 28), np.uint8) for kind, n in (("train", 30), ("t10k", 8))
}
LABELS = {kind: RNG.integers(0, 10, len(x), np.uint8) for kind, x in IMAGES.items()}


def write_published_files(folder: Path, *, zipped: bool) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for kind in IMAGES:
        for name, magic, array in (
            (f"{kind}-images-idx3-ubyte", 0x0803, IMAGES[kind]),
            (f"{kind}-labels-idx1-ubyte", 0x0801, LABELS[kind]),
        ):
            data = struct.pack(f">{1 + array.ndim}i", magic, *array.shape) + array.tobytes()
            if zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(data))
            else:
                (folder / name).write_bytes(data)
    return folder


def check_fashion(dataset: Dataset) -> None:
    assert dataset.test is not None
    for kind, part in (("train", dataset.train), ("t10k", dataset.test)):
        assert isinstance(part.x, np.ndarray)
        assert part.x.dtype == np.float32
        np.testing.assert_allclose(part.x[:, 0] * 255, IMAGES[kind], atol=1e-4)
        np.testing.assert_array_equal(part.y, LABELS[kind])


def test_digits_come_with_the_package_as_images_from_0_to_1() -> None:
    dataset = load_dataset("digits")
    assert isinstance(dataset.train.x, np.ndarray)
    assert dataset.train.x.shape == (1797, 1, 8, 8)
    assert (dataset.train.x.min(), dataset.train.x.max()) == (0.0, 1.0)
    assert sorted(set(dataset.train.y.tolist())) == list(range(10))


def test_digits_are_those_of_scikit_learn_without_its_import() -> None:
    code = "import sys; from morphml.evaluation.data.digits import digits; digits(); "
    code += "print('sklearn' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    images, labels = load_digits(return_X_y=True)
    part = load_dataset("digits").train
    assert isinstance(part.x, np.ndarray)
    np.testing.assert_array_equal(part.x.reshape(-1, 64) * 16, images)
    np.testing.assert_array_equal(part.y, labels)


def test_named_data_is_loaded_once_per_process(tmp_path: Path) -> None:
    assert load_dataset("digits") is load_dataset("digits")
    write_published_files(tmp_path, zipped=True)
    name = f"fashion_mnist:{tmp_path}"
    assert load_dataset(name) is load_dataset(name)


@pytest.mark.parametrize("zipped", [True, False])
def test_fashion_mnist_is_read_from_the_published_files(tmp_path: Path, zipped: bool) -> None:
    write_published_files(tmp_path, zipped=zipped)
    check_fashion(load_dataset(f"fashion_mnist:{tmp_path}"))


def test_fashion_mnist_is_found_below_the_folder_of_data_sets(tmp_path: Path) -> None:
    write_published_files(tmp_path / "fashion-mnist", zipped=True)
    check_fashion(load_dataset("fashion_mnist", folder=tmp_path))


def test_fashion_mnist_is_read_from_an_archive(tmp_path: Path) -> None:
    (tmp_path / "fashion-mnist-small").mkdir()
    np.savez(
        tmp_path / "fashion-mnist-small" / "fmnist_small.npz",
        x_train=IMAGES["train"],
        y_train=LABELS["train"],
        x_test=IMAGES["t10k"],
        y_test=LABELS["t10k"],
        class_names=np.array(["shirt"]),
    )
    check_fashion(load_dataset("fashion_mnist", folder=tmp_path))


@pytest.mark.skipif(DEBIAN_FOLDER.is_dir(), reason="the Debian package is installed here")
def test_missing_fashion_mnist_is_told_with_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="dataset-fashion-mnist") as caught:
        load_dataset("fashion_mnist", folder=tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "MORPHML_DATA" in str(caught.value)


def test_missing_one_of_the_four_files_is_told_by_name(tmp_path: Path) -> None:
    write_published_files(tmp_path, zipped=True)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(CallerError, match="t10k-labels-idx1-ubyte"):
        load_dataset(f"fashion_mnist:{tmp_path}")


@pytest.mark.parametrize("damage", ["cut", "text", "labels for images"])
def test_damaged_file_is_told_by_name(tmp_path: Path, damage: str) -> None:
    write_published_files(tmp_path, zipped=False)
    file = tmp_path / "train-images-idx3-ubyte"
    data = file.read_bytes()
    labels = (tmp_path / "train-labels-idx1-ubyte").read_bytes()
    file.write_bytes({"cut": data[:-1], "text": b"<html>", "labels for images": labels}[damage])
    with pytest.raises(CallerError, match="train-images-idx3-ubyte is not a whole idx file"):
        load_dataset(f"fashion_mnist:{tmp_path}")


def test_small_fashion_mnist_of_the_environment_is_real() -> None:
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    folder = read_settings().data.folder or beside
    if not folder.is_dir():
        pytest.skip("no data sets: MORPHML_DATA names no folder, and ../shared/data is not there")
    dataset = load_dataset("fashion_mnist", folder=folder)
    assert isinstance(dataset.train.x, np.ndarray)
    assert len(dataset.train) >= 8_000
    assert dataset.train.x.mean() == pytest.approx(0.286, abs=0.01)


def test_archive_gives_its_arrays_and_is_found_in_the_folder_of_data_sets(tmp_path: Path) -> None:
    x, y = RNG.normal(size=(9, 3)), np.arange(9)
    np.savez(tmp_path / "mine.npz", x=x, y=y, other=np.zeros(4))
    for source, folder in ((f"npz:{tmp_path / 'mine.npz'}", None), ("npz:mine.npz", tmp_path)):
        dataset = load_dataset(source, folder=folder)
        np.testing.assert_array_equal(dataset.train.x, x)
        assert dataset.test is None


def test_archive_is_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=np.array([print], dtype=object), y=np.zeros(1))
    with pytest.raises(CallerError, match=r"mine\.npz is not a readable"):
        load_dataset(tmp_path / "mine.npz")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": 3}, "needs x and y.*found nothing of that kind"),
        ({"x_train": 3, "y": 3}, "found x_train, y"),
        ({"x": 3, "y": 4}, "x has 3, y has 4"),
    ],
)
def test_archive_with_other_arrays_is_refused(
    tmp_path: Path, arrays: dict[str, int], message: str
) -> None:
    np.savez(tmp_path / "mine.npz", **{name: np.zeros(n) for name, n in arrays.items()})
    with pytest.raises(CallerError, match=message):
        load_dataset(tmp_path / "mine.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x93NUMPY"])
def test_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(CallerError, match=r"mine\.npz"):
        load_dataset(tmp_path / "mine.npz")


def test_single_array_is_no_archive(tmp_path: Path) -> None:
    with (tmp_path / "mine.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(CallerError, match="single array"):
        load_dataset(tmp_path / "mine.npz")


@pytest.mark.parametrize("name", ["cifar", "npz:", "npz", "digits:8", "npz:/nowhere/a.npz"])
def test_unknown_name_or_missing_file_is_told(name: str) -> None:
    with pytest.raises(CallerError, match=r"no data set is called|there is no file"):
        load_dataset(name)


def test_arrays_come_in_twos_or_fours() -> None:
    x, y = np.zeros((4, 2)), np.zeros(4)
    assert load_dataset((x, y)).test is None
    assert load_dataset((x, y, x[:2], y[:2])).test is not None
    with pytest.raises(CallerError, match="got 3 of them"):
        load_dataset((x, y, x))


def test_split_keeps_every_sample_once_and_the_share_of_each_class() -> None:
    y = np.repeat([0, 1, 2], [100, 50, 10])
    dataset = Dataset(name="d", train=Part(x=np.arange(160.0).reshape(-1, 1), y=y))
    parts = split(dataset, validation=0.2, seed=3, stratify=True)
    assert np.bincount(parts.validation.y).tolist() == [20, 10, 2]
    both = np.concatenate([np.ravel(part.x) for part in (parts.train, parts.validation)])  # type: ignore[arg-type]
    assert sorted(both.tolist()) == list(range(160))
    np.testing.assert_array_equal(y[parts.train.x[:, 0].astype(int)], parts.train.y)  # type: ignore[index]


def test_split_is_that_of_the_seed() -> None:
    dataset = load_dataset("digits")
    first, again, other = (
        np.asarray(split(dataset, validation=0.1, seed=seed, stratify=True).validation.x)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan")])
def test_share_outside_0_and_1_is_refused(share: float) -> None:
    with pytest.raises(CallerError, match="above 0 and below 1"):
        split(load_dataset("digits"), validation=share, seed=0, stratify=True)


def test_share_that_leaves_a_part_empty_is_refused() -> None:
    dataset = Dataset(name="two", train=Part(x=np.zeros((2, 1)), y=np.zeros(2)))
    with pytest.raises(CallerError, match="one part would be empty"):
        split(dataset, validation=0.01, seed=0, stratify=False)


def test_folder_of_data_sets_is_read_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_published_files(tmp_path / "fashion_mnist", zipped=True)
    monkeypatch.setenv("MORPHML_DATA", str(tmp_path))
    check_fashion(DataChoice(source="fashion_mnist", classes=True).dataset())
