"""Options that no search can keep, refused before anything is stored; budgets that end early."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import morphml as mm
from morphml import layers as L
from morphml.errors import (
    CallerError,
    ConstraintError,
    EvaluatorError,
    ExperimentError,
    OptimizerError,
    RequirementsError,
    SpaceError,
)
from morphml.search.log import EntryKind

ROW = mm.SearchSpace(decisions={"i": mm.integer(0, 99)})
NET = mm.SearchSpace(input=(4,), layers=[L.dense(units=mm.integer(4, 4000)), L.output(2)])
KNOWN = "known: constraints, deterministic, epochs"


def evaluate(arch, trial):
    return 1.0


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"trails": 5}, ExperimentError, f"option 'trails'; did you mean 'trials'? {KNOWN}"),
        ({"zzz": 5}, ExperimentError, f"unknown option 'zzz'; {KNOWN}"),
        ({"workers": -1}, ExperimentError, "workers: a whole number from 0 to 512, got -1"),
        ({"workers": 100_000}, ExperimentError, "a whole number from 0 to 512, got 100000"),
        ({"workers": 1.5}, ExperimentError, "workers: a whole number from 0 to 512, got 1.5"),
        ({"workers": "two"}, ExperimentError, "workers: a whole number from 0 to 512, got 'two'"),
        ({"trials": -5}, ExperimentError, "trials: a whole number from 1, got -5"),
        ({"trials": 0}, ExperimentError, "trials: a whole number from 1, got 0"),
        ({"trials": 2.5}, ExperimentError, "trials: a whole number from 1, got 2.5"),
        ({"trials": True}, ExperimentError, "trials: a whole number from 1, got True"),
        ({"epochs": -1}, ExperimentError, "epochs: a whole number from 1, got -1"),
        ({"timeout": 0}, ExperimentError, "timeout: seconds, more than 0, got 0"),
        ({"timeout": float("nan")}, ExperimentError, "timeout: seconds, more than 0, got nan"),
        ({"time_limit": -1}, ExperimentError, "time_limit: seconds, more than 0, got -1"),
        ({"memory_limit": 4}, ExperimentError, "memory_limit (bytes): a whole number from 16,777,"),
        ({"memory_limit": "4GB"}, ExperimentError, "16,777,216, got '4GB'"),
        ({"target": "high"}, ExperimentError, "target: a finite number, got 'high'"),
        ({"seed": "x"}, ExperimentError, "seed: a whole number, got 'x'"),
        ({"max_epochs": 0}, ExperimentError, "max_epochs: a whole number from 1, got 0"),
        ({"repeats": 0}, ExperimentError, "repeats: a whole number from 1, got 0"),
        ({"name": 3}, ExperimentError, "name: a text that is not empty, got 3"),
        ({"deterministic": "yes"}, ExperimentError, "deterministic: True or False, got 'yes'"),
        ({"objectives": "score"}, ExperimentError, "such as {'accuracy': 'max'}, got 'score'"),
        ({"objectives": []}, ExperimentError, "at least one is needed, such as {'accuracy': 'max'"),
        ({"objectives": {"a": "up"}}, ExperimentError, "'a' is to be 'min' or 'max', got 'up'"),
        ({"objectives": ["a", "a"]}, ExperimentError, "each metric once, got ['a', 'a']"),
        ({"objectives": ["params"]}, ExperimentError, "'params' is counted on the model graph, an"),
        ({"constraints": {"flops": "< 3"}}, ExperimentError, "such as 'measured_flops'"),
        ({"constraints": ["params < 3"]}, ConstraintError, "'<= 500_000'}, got ['params < 3']"),
        ({"constraints": {"size": "small"}}, ConstraintError, "'size': expected a relation and a "),
        ({"optimizer": "evolutoin"}, OptimizerError, "no such optimizer; did you mean 'evolution'"),
        ({"optimizer": 3}, ExperimentError, "an optimizer made by create_optimizer, got 3"),
        (
            {"optimizer": "evolution", "optimizer_settings": {"popsize": 3}},
            OptimizerError,
            "optimizer evolution: no setting 'popsize'; did you mean 'population_size'?",
        ),
        (
            {"optimizer": "evolution", "optimizer_settings": {"population_size": -3}},
            OptimizerError,
            "optimizer evolution.population_size: must be >= 2, got -3",
        ),
        ({"start": [{"i": 200}]}, SpaceError, "i: 200 is not a whole number from 0 to 99"),
        ({"start": [{"j": 2}]}, SpaceError, "j: this space has no decision with this path"),
        ({"start": {"i": 2}}, ExperimentError, "start: a list of points to try first, got {'i': 2"),
        ({"start": [3]}, ExperimentError, "start: architectures, or mappings of decision path to "),
        ({"resources": "gpu"}, ExperimentError, "a mapping such as {'gpu': 0.5}, got 'gpu'"),
        ({"resources": {"cpu": -1}}, ExperimentError, "cpu: a number from 0, got -1"),
        ({"resources": {"gpus": 1}}, RequirementsError, "gpus: there is no such resource; did you"),
        ({"resources": {"workers": 2}}, RequirementsError, "ask for them, such as gpu: 4"),
    ],
    ids=str,
)  # fmt: skip
def test_option_that_no_search_can_keep_is_named_and_nothing_is_stored(
    options: dict[str, object], kind: type[CallerError], words: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=re.escape(words)):
        mm.search(ROW, evaluate, storage=tmp_path / "s.db", **{"workers": 0, **options})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ("SearchSpace(...)", "'SearchSpace(...)'; make one with SearchSpace.from_text(text)"),
        ({"i": mm.integer(0, 3)}, "integer(0, 3)}; make one with SearchSpace(decisions={...})"),
        ([L.relu()], "got [relu()]; make one with SearchSpace(input=..., layers=[...])"),
    ],
)  # fmt: skip
def test_what_is_no_space_is_refused_with_how_to_make_one(
    space: object, words: str, tmp_path: Path
) -> None:
    with pytest.raises(SpaceError, match=re.escape(words)):
        mm.search(space, evaluate, storage=tmp_path / "s.db", workers=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("resources", "lack"),
    [
        ({"gpu": 99}, r"gpu 99, (which this machine does not have|and this machine has \d+)"),
        ({"cpu": 10_000}, r"cpu 10000, and this machine has \d+"),
        ({"unicorn": 1}, "unicorn, which this machine does not have"),
    ],
)
def test_resources_that_this_machine_never_has_are_refused_before_a_trial_waits_for_them(
    resources: dict[str, float], lack: str, tmp_path: Path
) -> None:
    with pytest.raises(RequirementsError, match=f"resources: a trial needs {lack}; ask for less"):
        mm.search(ROW, evaluate, storage=tmp_path / "s.db", workers=2, resources=resources)
    with mm.Experiment.open(tmp_path / "s.db") as experiment:
        assert experiment.record.next_number == 0
        assert experiment.record.state == "created"


def test_limits_that_nobody_can_keep_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="time_limit and memory_limit: not kept with workers=0"):
        mm.search(ROW, evaluate, trials=2, workers=0, time_limit=9.0, memory_limit=1 << 30)


def test_search_without_an_evaluator_says_how_to_evaluate_by_hand(tmp_path: Path) -> None:
    with pytest.raises(EvaluatorError, match=r"got None; to evaluate by hand, use Experiment"):
        mm.search(ROW, None, storage=tmp_path / "s.db")
    assert list(tmp_path.iterdir()) == []
    with (
        mm.Experiment.create(ROW, None) as experiment,
        pytest.raises(ExperimentError, match=r"no evaluator to run.*ask\(\) and tell\(\)"),
    ):
        experiment.run(workers=0)


# --- spaces that run dry -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "optimizer",
    [
        *("random", "evolution"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("genetic", "local_search")),
    ],
)
def test_space_smaller_than_the_budget_ends_the_search_with_each_member_once(
    optimizer: str, tmp_path: Path
) -> None:
    small = mm.SearchSpace(decisions={"a": mm.integer(0, 3), "b": mm.choice("x", "y", "z")})
    result = mm.search(
        small, evaluate, optimizer=optimizer, trials=50, workers=2, storage=tmp_path / "s.db"
    )
    assert result.reason == "space exhausted"
    assert result.record.state == "completed"
    assert result.counts == {"completed": 12}
    points = {tuple(trial.decisions.values()) for trial in result.ranked()}
    assert len(points) == 12
    again = mm.resume(tmp_path / "s.db", trials=60)
    assert (again.reason, again.counts) == ("space exhausted", {"completed": 12})


def test_space_smaller_than_the_budget_says_so_on_the_command_line(
    morphml: Callable[..., object], tmp_path: Path
) -> None:
    (tmp_path / "scoring.py").write_text("def evaluate(arch, trial):\n    return 1.0\n")
    (tmp_path / "experiment.yaml").write_text(
        "space: |\n  SearchSpace(decisions={'a': integer(0, 4)})\n"
        "evaluator: scoring:evaluate\ntrials: 40\nworkers: 2\n"
    )
    done = morphml("search", "experiment.yaml")
    assert done.returncode == 0, done.stderr
    assert "space exhausted" in done.stdout
    assert "5 completed" in done.stdout


# --- constraints that leave nothing --------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["random", "evolution", "genetic", "local_search"])
def test_a_thousand_rejections_in_a_row_name_the_constraint_and_keep_what_was_stored(
    optimizer: str, tmp_path: Path
) -> None:
    with pytest.raises(ConstraintError) as caught:
        mm.search(
            NET, evaluate, constraints={"params": "<= 3"}, optimizer=optimizer, trials=5, workers=2,
            storage=tmp_path / "s.db",
        )  # fmt: skip
    assert str(caught.value) == (
        "params <= 3: rejected 1,000 proposals in a row; loosen the constraint or make the space "
        "smaller"
    )
    assert caught.value.constraint == "params <= 3"
    with mm.Experiment.open(tmp_path / "s.db") as experiment:
        assert experiment.record.state == "failed"
        assert experiment.record.reason == str(caught.value)
        kinds = [entry.kind for entry in experiment.store.log(experiment.id)]
    assert set(kinds) == {EntryKind.REJECTED}
    assert len(kinds) == 64  # what the optimizer proposed; draws are not logged


def test_constraint_that_rejects_what_is_left_keeps_the_trials_before(tmp_path: Path) -> None:
    """Three members are small enough; the rest of the space is rejected."""
    with pytest.raises(ConstraintError, match=r"params < 50: rejected 1,000 proposals in a row"):
        mm.search(
            NET, evaluate, constraints={"params": "< 50"}, optimizer="random", trials=9, workers=2,
            start=[{"dense/units": 4}, {"dense/units": 5}, {"dense/units": 6}],
            storage=tmp_path / "s.db",
        )  # fmt: skip
    with mm.Experiment.open(tmp_path / "s.db") as experiment:
        result = experiment.result()
        assert experiment.record.state == "failed"
    assert result.counts["completed"] == 3
    assert [trial.metrics["params"] for trial in result.ranked()] == [30, 37, 44]


def test_constraint_on_the_space_that_no_member_keeps_is_named(tmp_path: Path) -> None:
    width = mm.integer(4, 4000, name="width")
    space = mm.SearchSpace(
        input=(4,), layers=[L.dense(units=width), L.output(2)], constraints=["width * 2 < 5"]
    )
    with pytest.raises(mm.MorphError, match=r"width.* \* 2 < 5"):
        mm.search(space, evaluate, trials=5, workers=2, storage=tmp_path / "s.db")
