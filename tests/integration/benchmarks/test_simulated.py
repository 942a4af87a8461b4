from __future__ import annotations

import math

import pytest
from tests.unit.benchmarks.cells import EPOCHS, made_up

from morphml.benchmarks import digits_cells, key_of, play, synthetic, with_workers
from morphml.benchmarks.campaign import competitors
from morphml.benchmarks.run import Run
from morphml.benchmarks.timing import by_time, missing_at
from morphml.errors import CallerError

NAMES = (
    "random",
    "evolution",
    "asha",
    "evolution+hyperband",
    "random+median",
    "random+asha_stopping",
)


@pytest.fixture(scope="module")
def even(tmp_path_factory):
    """Every epoch of every member takes 2 s."""
    file = tmp_path_factory.mktemp("even") / "cells.npz"
    made_up(4096, seconds=2.0).save(file)
    return digits_cells("validation", path=file)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """An epoch takes 1 to 3 s, by member."""
    file = tmp_path_factory.mktemp("uneven") / "cells.npz"
    made_up(4096).save(file)
    return digits_cells("validation", path=file)


def search(problem, name, seed=0, trials=30):
    return play(problem, key_of(problem, name, seed, trials))


def test_clock_counts_what_so_many_workers_train(even):
    for workers in (1, 3, 8):
        run = search(with_workers(even, workers), "random", trials=24)
        assert run.evaluations == 24
        assert run.clock[-1] == pytest.approx(24 * EPOCHS * 2.0 / workers)
        assert list(run.clock) == sorted(run.clock) and len(run.clock) == len(run.verdict)


def test_no_worker_waits_for_another(uneven):
    problem = with_workers(uneven, 8)
    run = search(problem, "random", trials=64)
    one = search(with_workers(uneven, 1), "random", trials=64)
    # The same 64 trainings one after the other, and eight at a time: idle only at the very end.
    assert one.clock[-1] / 8 <= run.clock[-1] <= one.clock[-1] / 8 + 3.0 * EPOCHS


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_gives_the_same_search(uneven, name):
    problem = with_workers(uneven, 4)
    first, second = search(problem, name, seed=3), search(problem, name, seed=3)
    assert (first.curves, first.clock) == (second.curves, second.clock)
    assert first.curves != search(problem, name, seed=4).curves


@pytest.mark.parametrize("name", ["asha", "hyperband", "evolution+asha", "random+asha_stopping"])
def test_fewer_epochs_for_most_let_more_members_begin(uneven, name):
    problem = with_workers(uneven, 8)
    run, full = search(problem, name), search(problem, "random")
    assert full.vectors == 30
    assert run.vectors > 1.5 * full.vectors
    # The epochs are those of 30 full trials; what was under way when they were used up ends.
    assert 30 <= run.evaluations <= 30 + 8


def test_asha_finds_better_members_in_the_same_time(uneven):
    problem = with_workers(uneven, 8)
    asha = [search(problem, "asha", seed).verdict[-1] for seed in range(5)]
    full = [search(problem, "random", seed).verdict[-1] for seed in range(5)]
    assert sum(asha) < sum(full)


def test_missing_is_that_of_the_full_training_of_the_best_seen(even):
    problem = with_workers(even, 1)
    run = search(problem, "random", trials=1)
    tried = problem.look_up(_first(problem))
    assert run.verdict == (pytest.approx(problem.answer.best - tried["test"]),)


def _first(problem):
    """The member that random search asks first with seed 0."""
    seen = []
    curves = problem.curves

    class Spy:
        epochs = curves.epochs

        def __call__(self, member):
            seen.append(member)
            return curves(member)

    from dataclasses import replace

    search(replace(problem, curves=Spy()), "random", trials=1)
    return seen[0]


def test_members_without_a_curve_fail_and_cost_no_time(tmp_path):
    made_up(2048, seconds=2.0).save(tmp_path / "half.npz")
    problem = with_workers(digits_cells(path=tmp_path / "half.npz"), 2)
    run = search(problem, "random", trials=20)
    assert run.failed > 5
    assert run.evaluations == 20 and run.clock[-1] == pytest.approx(20 * EPOCHS * 2.0 / 2)


def test_run_with_a_clock_comes_back_from_its_line(even):
    run = search(with_workers(even, 2), "asha", trials=4)
    assert Run.of_line(run.to_line()) == run


def test_time_and_evaluations_tell_the_same(uneven):
    problem = with_workers(uneven, 4)
    runs = [search(problem, name, seed) for name in ("random", "asha") for seed in range(3)]
    timed = by_time(runs, moments=50)
    assert len(timed.seconds) == 50 and timed.seconds[-1] == max(run.clock[-1] for run in runs)
    ends = [run.verdict[-1] for run in runs if run.key.optimizer == "asha"]
    assert timed.curves["asha"][-1].mean == pytest.approx(sum(ends) / 3)
    assert missing_at(runs[0], runs[0].clock[0] / 2) == math.inf
    assert missing_at(runs[0], runs[0].clock[5]) == runs[0].verdict[5]
    with pytest.raises(CallerError, match="no clock"):
        by_time([search(uneven, "random")])


def test_workers_need_curves_and_there_is_at_least_one(even):
    with pytest.raises(CallerError, match="has no curves"):
        with_workers(synthetic(), 4)
    with pytest.raises(CallerError, match="at least 1, got 0"):
        with_workers(even, 0)


def test_combinations_take_part_only_under_the_clock():
    assert competitors("asha,evolution+asha", simulated=True) == ["asha", "evolution+asha"]
    everyone = competitors("all", simulated=True)
    assert {"random", "asha", "hyperband"} <= set(everyone) and "optuna_tpe" not in everyone
    with pytest.raises(CallerError, match="fewer epochs"):
        competitors("asha")
    with pytest.raises(CallerError, match="no rule of fidelity 'ash'"):
        competitors("evolution+ash", simulated=True)
    with pytest.raises(CallerError, match="no optimizer 'optuna_tpe'"):
        competitors("optuna_tpe", simulated=True)
