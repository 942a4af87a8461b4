"""Predicts with XGBoost models saved as JSON, without XGBoost.

Source: Chen and Guestrin, 2016; the JSON form of XGBoost 1.0 to 3, "Introduction to Model IO".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from morphml.errors import CallerError
from morphml.ids import digest

#: More steps than this from a root are a circle.
_DEEPEST = 1_000


class BoostedTrees:
    """The trees of one model, laid behind each other.

    Args:
        path: what ``Booster.save_model("....json")`` wrote, of a regression.

    Raises:
        CallerError: it is another file, or of a kind that is not read.
    """

    def __init__(self, path: Path) -> None:
        try:
            learner = json.loads(path.read_bytes())["learner"]
            self._read(learner)
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise CallerError(f"{path}: is no XGBoost regression in JSON: {error!r}") from error

    def _read(self, learner: Mapping[str, Any]) -> None:
        objective = learner["objective"]["name"]
        if objective not in ("reg:squarederror", "reg:linear", "reg:absoluteerror"):
            raise ValueError(f"its objective is {objective}")
        booster = learner["gradient_booster"]
        shares = booster.get("weight_drop")
        trees = (booster["gbtree"] if booster["name"] == "dart" else booster)["model"]["trees"]
        head = learner["learner_model_param"]
        self.features = int(head["num_feature"])
        self._base = float(str(head["base_score"]).strip("[]"))
        sizes = [len(tree["left_children"]) for tree in trees]
        self._roots = np.cumsum([0, *sizes[:-1]]) if sizes else np.zeros(0, dtype=np.int64)
        self._shares = np.array(shares if shares else [1.0] * len(trees))
        self._left = _children(trees, "left_children", self._roots)
        self._right = _children(trees, "right_children", self._roots)
        self._feature = _joined(trees, "split_indices").astype(np.int64)
        #: The border of a split; at a leaf its value.
        self._value = _joined(trees, "split_conditions").astype(np.float32)
        self._left_if_missing = _joined(trees, "default_left").astype(bool)
        if any(_joined([tree], "split_type").any() for tree in trees if "split_type" in tree):
            raise ValueError("it splits by categories")
        if self._feature.size and not 0 <= self._feature.max() < self.features:
            raise ValueError("a split reads a feature that is not there")

    def predict(self, features: npt.NDArray[np.float64]) -> float:
        """The prediction for one row (``self.features``,); NaN is missing.

        Cost: a few numpy calls for each level of the deepest tree.
        """
        row = features.astype(np.float32)
        at = self._roots.copy()
        for _ in range(_DEEPEST):
            inner = self._left[at] >= 0
            if not inner.any():
                return self._base + float(self._shares @ self._value[at].astype(np.float64))
            held = row[self._feature[at]]
            left = np.where(np.isnan(held), self._left_if_missing[at], held < self._value[at])
            below = np.where(left, self._left[at], self._right[at])
            at = np.where(inner, below, at)
        raise CallerError("an XGBoost model goes in circles")

    @cached_property
    def digest(self) -> str:
        """Of everything that decides a prediction."""
        arrays = (self._roots, self._left, self._right, self._feature, self._value, self._shares)
        whole = b"\0".join(array.tobytes() for array in arrays)
        return digest(whole + self._left_if_missing.tobytes() + repr(self._base).encode())


def _joined(trees: Sequence[Mapping[str, Any]], key: str) -> npt.NDArray[np.float64]:
    parts = [np.asarray(tree[key], dtype=np.float64) for tree in trees]
    return np.concatenate(parts) if parts else np.zeros(0)


def _children(
    trees: Sequence[Mapping[str, Any]], key: str, roots: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Places of children among all nodes; -1 at a leaf."""
    parts = []
    for tree, root in zip(trees, roots, strict=True):
        found = np.asarray(tree[key], dtype=np.int64)
        if found.size and not -1 <= found.min() <= found.max() < found.size:
            raise ValueError("a node that is not there")
        parts.append(np.where(found < 0, -1, found + root))
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
