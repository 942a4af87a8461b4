"""What a loader gives, once for a machine."""

from __future__ import annotations

import functools
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morphml.errors import EvaluatorError, WorkerError
from morphml.evaluation.shared_data import SharedData
from morphml.evaluation.shared_data.keeper import KEPT_S
from morphml.evaluation.shared_data.loaders import identity_of


class Loader:
    """Counts its calls; an evaluator whose method loads."""

    def __init__(self, size: int = 3) -> None:
        self.size = size
        self.calls: set[int] = set()  # not plain: says nothing about the data

    def load(self) -> dict[str, Any]:
        self.calls.add(len(self.calls))
        x = np.arange(self.size * 2.0).reshape(self.size, 2)
        return {"train": (x, x[:, 0] > 1), "names": ["a", "b"], "classes": 2, "parts": [x[:1]]}


def test_data_come_back_as_they_were_with_one_call_of_the_loader(tmp_path: Path) -> None:
    loader = Loader()
    first, again = (SharedData(tmp_path, "e").get(loader.load) for _ in range(2))
    assert len(loader.calls) == 1
    for found in (first, again):
        assert isinstance(found, dict)
        x, y = found["train"]
        np.testing.assert_array_equal(x, [[0, 1], [2, 3], [4, 5]])
        assert (x.dtype, y.dtype, y.tolist()) == (np.float64, np.bool_, [False, True, True])
        assert (found["names"], found["classes"]) == (["a", "b"], 2)
        assert isinstance(found["parts"], list)
        assert isinstance(x, np.memmap)


def test_what_one_trial_writes_no_other_sees(tmp_path: Path) -> None:
    data = SharedData(tmp_path, "e")
    load = functools.partial(np.zeros, 4)
    mine: Any = data.get(load)
    mine[0] = 7.0
    theirs: Any = data.get(load)
    assert (mine[0], theirs[0]) == (7.0, 0.0)


def test_other_arguments_and_other_experiments_are_other_data(tmp_path: Path) -> None:
    def squares(count: int) -> Any:
        return lambda: np.arange(count) ** 2

    data = SharedData(tmp_path, "e")
    sizes = [len(data.get(squares(n))) for n in (2, 3, 2)]  # type: ignore[arg-type]
    assert sizes == [2, 3, 2]
    small, large = Loader(1), Loader(2)
    assert [len(data.get(each.load)["train"][0]) for each in (small, large)] == [1, 2]  # type: ignore[index]
    SharedData(tmp_path, "another").get(small.load)
    assert len(small.calls) == 2


def test_named_data_are_shared_between_experiments(tmp_path: Path) -> None:
    loaders = [Loader(), Loader(5)]
    found = [SharedData(tmp_path, f"e{i}").get(each.load, "v1") for i, each in enumerate(loaders)]
    assert [len(each.calls) for each in loaders] == [1, 0]
    assert [len(each["train"][0]) for each in found] == [3, 3]  # type: ignore[index]


def test_loader_that_holds_what_is_not_plain_needs_a_name(tmp_path: Path) -> None:
    held = object()
    with pytest.raises(EvaluatorError, match="name="):
        SharedData(tmp_path, "e").get(lambda: np.array([id(held)]))


def test_loaders_of_the_same_name_with_other_code_differ() -> None:
    def make(text: str) -> Any:
        scope: dict[str, Any] = {}
        exec(f"def load():\n    return {text}", scope)
        return scope["load"]

    same, other = make("{1, 2} and 5"), make("{1, 2} and 6")
    assert identity_of(same) == identity_of(make("{1, 2} and 5"))
    assert identity_of(same) != identity_of(other)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"x": object()}, r"dataset\['x'\]: .*got object"),
        ([np.array([None, "a"], dtype=object)], r"dataset\[0\]: .*Python objects"),
        ({1: np.zeros(1)}, "names are texts, got 1"),
    ],
)
def test_what_cannot_be_shared_is_refused_and_leaves_nothing(
    tmp_path: Path, value: object, message: str
) -> None:
    data = SharedData(tmp_path, "e")
    with pytest.raises(EvaluatorError, match=message):
        data.get(lambda: value, "bad")
    assert [each for each in tmp_path.iterdir() if each.is_dir()] == []
    assert data.get(lambda: 1, "bad") == 1


def test_file_of_an_array_is_mapped_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.arange(3))
    found: Any = SharedData(tmp_path / "cache", "e").get(str(path))
    assert (found.tolist(), type(found)) == ([0, 1, 2], np.memmap)
    assert not (tmp_path / "cache").exists()
    path.write_bytes(b"no array")
    with pytest.raises(EvaluatorError, match=r"x\.npy cannot be mapped"):
        SharedData(tmp_path, "e").get(path)
    with pytest.raises(FileNotFoundError):
        SharedData(tmp_path, "e").get(tmp_path / "absent.npy")


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkerError, match="MORPHML_DATA_CACHE"):
        SharedData(tmp_path / "file" / "cache", "e").get(lambda: 1)


def test_data_that_nobody_used_for_long_are_removed_with_the_next(tmp_path: Path) -> None:
    data = SharedData(tmp_path, "e")
    kept: Any = data.get(lambda: np.ones(2), "old")
    for path in tmp_path.iterdir():
        os.utime(path, (0, time.time() - KEPT_S - 60))
    data.get(lambda: 1, "new")
    assert len([each for each in tmp_path.iterdir() if each.is_dir()]) == 1
    assert kept.tolist() == [1.0, 1.0]
    again: Any = data.get(lambda: np.zeros(2), "old")
    assert again.tolist() == [0.0, 0.0]
