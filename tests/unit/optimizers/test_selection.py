from __future__ import annotations

import numpy as np
import pytest

from morphml.optimizers.pareto import Result
from morphml.optimizers.population import Member
from morphml.optimizers.selection import SELECTIONS, Selection, rank, roulette, tournament
from morphml.seeds import generator
from morphml.testing.example_spaces import tiny_space

DRAWS = 4_000


def members(results: list[Result]) -> list[Member]:
    space = tiny_space()
    return [Member(n, space.default(), result) for n, result in enumerate(results)]


def shares(select: Selection, values: list[float], size: int = 2) -> np.ndarray:
    """How often each position was picked."""
    results = members([Result(0.0, (value,)) for value in values])
    rng = generator(0, 0, "select")
    picked = [select(results, size, rng) for _ in range(DRAWS)]
    return np.bincount(picked, minlength=len(values)) / DRAWS


def test_tournament_of_two_picks_by_the_law_of_the_minimum() -> None:
    expected = [(2 * (4 - k) - 1) / 16 for k in range(4)]
    assert shares(tournament, [0, 1, 2, 3]) == pytest.approx(expected, abs=0.03)


def test_rank_falls_linearly_whatever_the_values() -> None:
    expected = [7 / 16, 5 / 16, 3 / 16, 1 / 16]
    assert shares(rank, [0, 1, 2, 1e9]) == pytest.approx(expected, abs=0.03)


def test_roulette_is_in_proportion_to_the_gain_and_leaves_the_worst_a_chance() -> None:
    gains = np.array([4.0, 2.0, 0.0]) / 2.0 + 0.5
    assert shares(roulette, [0, 2, 4]) == pytest.approx(gains / gains.sum(), abs=0.03)
    assert shares(roulette, [7, 7, 7, 7]) == pytest.approx([0.25] * 4, abs=0.03)


def test_roulette_bears_values_of_opposite_extremes() -> None:
    gains = np.array([1.0, 0.0]) / 0.5 + 0.5
    assert shares(roulette, [-1e308, 1e308]) == pytest.approx(gains / gains.sum(), abs=0.03)


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("results", [[Result(0.0, (1.0, 2.0))] * 3, [Result(0.5, (1.0,))] * 3])
def test_every_selection_takes_fronts_and_violations(name: str, results: list[Result]) -> None:
    rng = generator(0, 0, "select")
    picked = {SELECTIONS[name](members(results), 2, rng) for _ in range(200)}
    assert picked == {0, 1, 2}
