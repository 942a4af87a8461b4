"""Experiments of one store that share results: every evaluation is counted by a file of its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.integration.master.reuse_cases import GRID, Bowl, NewerBowl, calls, replays, search

import morphml as mm
from morphml import layers as L
from morphml.errors import ExperimentError
from morphml.master import Experiment, Result, replay
from morphml.master.driver import REUSED_PER_TURN

NETS = mm.SearchSpace(
    input=(8,),
    layers=[
        L.dense(units=mm.choice(4, 8, 16, 32, 64)),
        L.relu(),
        L.dense(units=mm.choice(4, 8, 16)),
        L.output(3),
    ],
)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("optimizer", ["random", pytest.param("evolution", marks=pytest.mark.slow)])
def test_second_experiment_evaluates_only_what_is_new(
    workers: int, optimizer: str, tmp_path: Path
) -> None:
    path = tmp_path / "s.db"
    evaluate = Bowl(tmp_path)
    first = search(path, evaluate, seed=1, workers=workers, optimizer=optimizer, name="first")
    before = calls(tmp_path)
    assert before.total() == len(first.records) == 15
    second = search(path, evaluate, seed=2, workers=workers, optimizer=optimizer, name="second")
    after = calls(tmp_path)
    assert after == Counter(dict.fromkeys(after, 1)), "a point was evaluated twice"
    assert after.total() == 15 + len(second.records)
    assert second.reused
    known = {record.point_id: record for record in first.records}
    for record in second.reused:
        source = known[record.point_id]
        assert dict(record.metrics) == dict(source.metrics)
        assert record.reused_from is not None
        assert record.reused_from.number == source.number
        assert record.reused_from.experiment == first.record.id
    assert replays(path) == 2


@pytest.mark.parametrize(
    ("changed", "options"),
    [
        ("version", {}),
        ("settings", {}),
        ("evaluator", {}),
        ("", {"max_epochs": 11}),
        ("", {"repeats": 2}),
        ("", {"objectives": {"loss": "min", "seed": "min"}}),
        ("", {"constraints": {"seed": ">= 0"}}),
        ("", {"reuse": False}),
        ("", {"first": False}),
    ],
)
def test_other_evaluator_fidelity_seeds_or_metrics_share_nothing(
    changed: str, options: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / "s.db"
    first_reuses = options.pop("first", True)
    search(path, Bowl(tmp_path), trials=25, reuse=first_reuses)
    assert calls(tmp_path).total() == 25
    evaluate = {
        "version": NewerBowl(tmp_path),
        "settings": Bowl(tmp_path, slope=2.0),
        "evaluator": lambda arch, trial: Bowl(tmp_path)(arch, trial),
    }.get(changed, Bowl(tmp_path))
    if changed == "evaluator":
        evaluate.version = "1"  # type: ignore[union-attr]
    second = search(path, evaluate, trials=25, seed=1, **options)
    assert len(second.records) == 25
    assert second.reused == []
    repeats = 2 if "repeats" in options else 1
    assert calls(tmp_path).total() == 25 + 25 * repeats
    assert replays(path) == 2


def test_experiments_without_reuse_write_and_read_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    for seed in (1, 2):
        result = search(path, Bowl(tmp_path), seed=seed, reuse=False, trials=25)
        assert len(result.records) == 25
        assert "reused_from" not in result.trials.columns
    assert calls(tmp_path).total() == 50


def test_wholly_known_space_ends_at_once_with_everything_to_show(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    first = search(path, Bowl(tmp_path), trials=40, name="first")
    assert first.reason == "space exhausted"
    second = search(path, Bowl(tmp_path), seed=5, name="second")
    assert calls(tmp_path).total() == 25
    assert second.reason == "space exhausted"
    assert (len(second.records), len(second.reused), dict(second.counts)) == (0, 25, {})
    best = second.best
    assert (best.number < 0, best.metrics["loss"], best.checkpoint) == (True, 0.0, None)
    assert dict(best.decisions) == {"a": 3, "b": 1}
    assert str(best.reused_from) == f"{first.record.id}#{first.best.number}"
    assert second.trial(best.number) == best
    with pytest.raises(ExperimentError, match="no trial -26"):
        second.trial(-26)
    with pytest.raises(ExperimentError, match="no trial 0"):
        second.trial(0)
    assert "0 trials and 25 reused" in repr(second)
    assert second.report(tmp_path / "report.html").stat().st_size > 0
    table = second.trials
    assert list(table["number"]) == list(range(-1, -26, -1))
    assert set(table["state"]) == {"reused"}
    assert best.reused_from is not None
    row = table[table["number"] == best.number].iloc[0]
    assert row["reused_from"] == str(best.reused_from)
    assert replays(path) == 2
    # A larger budget changes nothing: all is known.
    again = mm.resume(path, "second", trials=60, workers=0)
    assert (again.reason, len(again.reused), len(again.records)) == ("space exhausted", 25, 0)
    assert replays(path) == 2


def test_best_and_front_hold_own_and_reused_results(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        return {"loss": 1.0 / arch.params, "error": float(arch.decisions["dense/units"] % 7)}

    path = tmp_path / "s.db"
    options = {
        "objectives": {"loss": "min", "params": "min"},
        "constraints": {"error": "<= 4"},
        "workers": 0,
        "reuse": True,
    }
    mm.search(NETS, evaluate, storage=path, trials=8, **options)
    second = mm.search(NETS, evaluate, storage=path, trials=40, seed=3, **options)
    assert (len(second.records), len(second.reused)) == (7, 8)
    whole = mm.search(NETS, evaluate, trials=40, **{**options, "reuse": False})
    assert len(whole.records) == 15

    def front(result: Result) -> list[tuple[object, ...]]:
        return [(t.metrics["loss"], t.metrics["params"]) for t in result.pareto_front]

    assert front(second) == front(whole)
    assert second.best.metrics == whole.best.metrics
    assert {trial.number < 0 for trial in second.pareto_front} == {True, False}
    assert len(second.trials) == 15
    assert list(second.trials["reused_from"].notna()) == [False] * 7 + [True] * 8
    for trial in second.ranked():
        assert (trial.reused_from is not None) == (trial.number < 0)
        assert second.trial(trial.number) == trial


def test_failed_trials_are_evaluated_again(tmp_path: Path) -> None:
    class Moody(Bowl):
        def __call__(self, arch, trial):
            metrics = super().__call__(arch, trial)
            if arch.decisions["a"] == 2:
                raise ValueError("not today")
            return metrics

    path = tmp_path / "s.db"
    first = search(path, Moody(tmp_path), trials=25)
    assert dict(first.counts) == {"completed": 20, "failed": 5}
    second = search(path, Moody(tmp_path), trials=25, seed=1)
    assert dict(second.counts) == {"failed": 5}
    assert len(second.reused) == 20


def test_reused_target_ends_a_search_without_a_trial(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    search(path, Bowl(tmp_path), trials=25)
    second = search(path, Bowl(tmp_path), seed=1, target=0.0)
    assert (second.reason, second.records) == ("target reached", [])
    assert second.best.metrics["loss"] == 0.0
    assert replays(path) == 2


def test_more_known_points_than_a_turn_takes_are_all_heard(tmp_path: Path) -> None:
    space = mm.SearchSpace(decisions={"a": mm.integer(0, 24), "b": mm.integer(0, 24)})
    path = tmp_path / "s.db"
    given = {"objectives": {"loss": "min"}, "trials": 700, "workers": 0, "reuse": True}

    def evaluate(arch, trial):
        return float(arch.decisions["a"] + arch.decisions["b"])

    first = mm.search(space, evaluate, storage=path, **given)
    assert len(first.records) == 625 > REUSED_PER_TURN
    seen = []
    second = mm.search(space, evaluate, storage=path, seed=1, observer=seen.append, **given)
    assert (len(second.records), len(second.reused)) == (0, 625)
    assert (seen[-1].reused, seen[-1].best_value) == (625, 0.0)
    assert seen[-1].best_number is not None
    assert seen[-1].best_number < 0


def test_memory_store_shares_between_its_experiments(tmp_path: Path) -> None:
    options = {"objectives": {"loss": "min"}, "trials": 15, "workers": 0, "reuse": True}
    with Experiment.create(GRID, Bowl(tmp_path), **options) as first:  # type: ignore[arg-type]
        first.run()
        again = first.store.create_experiment(first.spec)
        second = Experiment(first.store, again, GRID, first._source, first.folder)
        result = second.run()
        assert replay(second).passed
    assert calls(tmp_path).total() == 15 + len(result.records)
    assert len(result.reused) == 25 - len(result.records)


# --- declaring ---------------------------------------------------------------------------------


def test_evaluator_without_a_digest_is_refused_with_how_to_declare_it(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    lock = object()

    def evaluate(arch, trial):
        assert lock
        return {"loss": 1.0}

    with pytest.raises(ExperimentError, match=r'version = "1".*data_digest'):
        search(path, evaluate)
    assert not path.exists()
    evaluate.version = "1"
    assert search(path, evaluate, trials=3).counts == {"completed": 3}
    assert len(search(path, evaluate, trials=25, seed=4).reused) == 3


def test_reuse_by_hand_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="by hand"):
        Experiment.create(GRID, None, storage=tmp_path / "s.db", reuse=True)


def test_reuse_other_than_yes_or_no_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="reuse"):
        search(tmp_path / "s.db", Bowl(tmp_path), reuse="yes")
