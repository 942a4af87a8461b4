"""A small surrogate in the form of the published files: the space, the features' order, members."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from morphml.benchmarks import key_of, nasbench301, play
from morphml.benchmarks.boosted_trees import BoostedTrees
from morphml.errors import CallerError

#: Models that XGBoost 3.2 trained and saved, with its own predictions.
SAVED = json.loads((Path(__file__).parent / "boosted_trees.json").read_text())
DARTS = "NetworkSelectorDatasetInfo:darts:"
OPTIONS = ["max_pool_3x3", "skip_connect", "sep_conv_3x3"]
NAMES = [
    "CreateImageDataLoader:batch_size",
    f"{DARTS}edge_normal_0",
    f"{DARTS}edge_normal_2",
    f"{DARTS}inputs_node_normal_3",
]


@pytest.mark.parametrize("kind", ["gbtree", "dart"])
def test_predictions_are_those_of_xgboost(tmp_path: Path, kind: str) -> None:
    (tmp_path / "model.json").write_text(json.dumps(SAVED[kind]["model"]))
    model = BoostedTrees(tmp_path / "model.json")
    rows = [[math.nan if cell is None else cell for cell in row] for row in SAVED["rows"]]
    mine = [model.predict(np.array(row)) for row in rows]
    assert mine == pytest.approx(SAVED[kind]["predicted"], abs=1e-4)
    assert len(set(mine)) >= 4


def stump(feature: int, border: float, low: float, high: float, features: int = 4) -> dict:
    """One split: ``low`` below the border."""
    tree = {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_indices": [feature, 0, 0],
        "split_conditions": [border, low, high],
        "default_left": [True, False, False],
    }
    return {
        "learner": {
            "learner_model_param": {"base_score": "9E1", "num_feature": str(features)},
            "objective": {"name": "reg:squarederror"},
            "gradient_booster": {"name": "gbtree", "model": {"trees": [tree]}},
        }
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    searched = {
        f"{DARTS}edge_normal_2": OPTIONS,  # before its parent, as the published file has some
        f"{DARTS}edge_normal_0": OPTIONS,
        f"{DARTS}inputs_node_normal_3": ["0_1", "0_2", "1_2"],
    }
    space = {
        "hyperparameters": [
            {"name": NAMES[0], "type": "uniform_int", "lower": 64, "upper": 128},
            *({"name": n, "type": "categorical", "choices": c} for n, c in searched.items()),
        ],
        "conditions": [
            {
                "child": f"{DARTS}edge_normal_2",
                "parent": f"{DARTS}inputs_node_normal_3",
                "type": "IN",
                "values": ["0_1", "0_2"],
            }
        ],
    }
    (tmp_path / "configspace.json").write_text(json.dumps(space))
    (tmp_path / "features.json").write_text(json.dumps({"names": NAMES, "fixed": {NAMES[0]: 0.5}}))
    # One looks whether the conditional edge is there, one at an edge's operation.
    (tmp_path / "member_0.json").write_text(json.dumps(stump(2, -0.5, -2.0, 4.0)))
    (tmp_path / "member_1.json").write_text(json.dumps(stump(1, 1.5, 0.0, 6.0)))
    return tmp_path


def test_accuracy_is_the_mean_of_the_members(folder: Path) -> None:
    problem = nasbench301(folder)
    assert str(problem.space.size) == str(3 * (2 * 3 + 1))
    there = problem.space.member(
        {
            "edge_normal_0": "sep_conv_3x3",
            "inputs_node_normal_3": "0_2",
            "edge_normal_2": "max_pool_3x3",
        }
    )
    assert problem(there, None) == {"accuracy": pytest.approx(90 + (4 + 6) / 2)}
    absent = problem.space.member({"edge_normal_0": "skip_connect", "inputs_node_normal_3": "1_2"})
    assert problem(absent, None) == {"accuracy": pytest.approx(90 + (-2 + 0) / 2)}


def test_search_finds_the_best_and_the_digest_follows_the_models(folder: Path) -> None:
    problem = nasbench301(folder, best=95.0)
    run = play(problem, key_of(problem, "random", 0, 21))
    assert run.verdict[-1] == pytest.approx(0.0) and run.evaluations == 21
    before = problem.look_up.digest
    (folder / "member_1.json").write_text(json.dumps(stump(1, 1.5, 0.0, 7.0)))
    assert nasbench301(folder).look_up.digest != before


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("configspace.json", {"hyperparameters": []}, "is no space of NAS-Bench-301"),
        ("features.json", {"names": NAMES}, "needs 'names', a list, and 'fixed'"),
        ("features.json", {"names": NAMES, "fixed": {}}, "says no value of .*batch_size"),
        ("features.json", {"names": [*NAMES[:3], "x"], "fixed": {}}, "lacks the features .*node"),
        ("member_1.json", {"learner": {}}, "is no XGBoost regression in JSON"),
        ("member_1.json", stump(1, 0, 0, 0, features=5), "another number of features than 4"),
        ("member_1.json", stump(4, 0, 0, 0), "is no XGBoost regression"),
    ],
)
def test_other_files_are_named(folder: Path, name: str, content: dict, said: str) -> None:
    (folder / name).write_text(json.dumps(content))
    with pytest.raises(CallerError, match=said):
        nasbench301(folder)


def test_pickles_are_not_read(folder: Path) -> None:
    for member in folder.glob("member_*.json"):
        member.rename(member.with_name(f"{member.stem}.model"))
    with pytest.raises(CallerError, match="has no member; save each model as"):
        nasbench301(folder)
