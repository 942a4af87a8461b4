"""Optimizers by library learn from results, and say what to install where they cannot."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from morphml.errors import OptimizerError
from morphml.optimizers import OPTIMIZERS, Told, create_optimizer
from morphml.space import SearchSpace, real
from morphml.testing.example_spaces import flat_space
from morphml.testing.playing import Plan, Play


def values_of(optimizer: str, space: SearchSpace, trials: int, objectives: int) -> np.ndarray:
    plan = Plan(trials=trials, pending=4, objectives=objectives, seed=1)
    play = Play(create_optimizer(optimizer, space), space, plan).run()
    assert len({p.architecture.vector for p in play.proposals}) == trials == len(play.proposals)
    return np.array([event.values for event in play.log if isinstance(event, Told)])


def numbers() -> SearchSpace:
    return SearchSpace(decisions={f"x{index}": real(0.0, 1.0) for index in range(6)})


@pytest.mark.parametrize(
    ("optimizer", "space", "trials", "objectives"),
    [
        ("tpe", flat_space(), 100, 1),
        ("optuna_gp", flat_space(), 25, 1),
        ("smac", flat_space(), 60, 1),
        ("nsga3", flat_space(), 200, 3),
        ("cma_es", numbers(), 200, 1),
    ],
)
def test_later_trials_are_far_better_than_random_ones_and_none_is_a_duplicate(
    optimizer: str, space: SearchSpace, trials: int, objectives: int
) -> None:
    found = values_of(optimizer, space, trials, objectives)[-trials // 4 :].sum(axis=1)
    drawn = values_of("random", space, trials, objectives).sum(axis=1)
    assert np.median(found) < np.quantile(drawn, 0.25)


@pytest.mark.parametrize("optimizer", ["tpe", "optuna_gp", "nsga3", "cma_es", "smac"])
def test_missing_library_is_named_with_what_to_install(
    optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("optuna", "cmaes", "smac"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(OptimizerError, match=r"not installed; pip install 'morphml\[(bo|smac)\]'"):
        OPTIMIZERS[optimizer].make(flat_space())
