"""Quasi-random points, and the portfolio's merit."""

from __future__ import annotations

from collections import Counter

import numpy as np

from morphml.optimizers import Asked, Portfolio, QuasiRandom, Told
from morphml.seeds import generator
from morphml.space import SearchSpace, real
from morphml.testing.example_spaces import flat_space


def sequence(space: SearchSpace, count: int, seed: int = 0) -> np.ndarray:
    search = QuasiRandom(space)
    points = []
    for number in range(count):
        proposal = search.ask(number, generator(seed, number, "ask"))
        architecture = proposal.architecture
        points.append(space.encode(architecture))
        search.observe(Asked(number=number, architecture=architecture, note=proposal.note))
    return np.array(points)


def emptiest(points: np.ndarray) -> int:
    """Points in the emptiest of 6 x 6 boxes over any two decisions."""
    least = len(points)
    for first in range(points.shape[1]):
        for second in range(first):
            boxes, _, _ = np.histogram2d(
                points[:, first], points[:, second], bins=6, range=[[0, 1], [0, 1]]
            )
            least = min(least, int(boxes.min()))
    return least


def test_points_fill_every_corner_more_evenly_than_chance() -> None:
    space = SearchSpace(decisions={f"x{i}": real(0.0, 1.0) for i in range(6)})
    chance = np.random.default_rng(0).random((360, 6))
    assert emptiest(sequence(space, 360)) > emptiest(chance)


def test_every_option_of_a_categorical_decision_comes_equally_often() -> None:
    codes = np.floor(sequence(flat_space(), 250) * 5).astype(int)
    for column in codes.T:
        assert set(Counter(column.tolist())) == set(range(5))
        assert max(Counter(column.tolist()).values()) - 50 <= 12


def test_another_seed_is_another_sequence() -> None:
    space = SearchSpace(decisions={f"x{i}": real(0.0, 1.0) for i in range(6)})
    assert not np.allclose(sequence(space, 20), sequence(space, 20, seed=1))


def asks(lucky: str, trials: int = 120) -> Counter[str]:
    """Who is asked how often when each result of one is a new best."""
    portfolio = Portfolio(flat_space())
    made: Counter[str] = Counter()
    for number in range(trials):
        proposal = portfolio.ask(number, generator(0, number, "ask"))
        assert proposal.note is not None
        by = str(proposal.note["by"])
        made[by] += 1
        portfolio.observe(
            Asked(number=number, architecture=proposal.architecture, note=proposal.note)
        )
        value = -float(number) if by == lucky else 1.0
        portfolio.observe(Told(number=number, values=(value,)))
    return made


def test_whoever_brings_new_bests_is_asked_most() -> None:
    for lucky in ("local_search", "evolution", "genetic"):
        made = asks(lucky)
        assert made[lucky] > 90
        assert len(made) == 3


def test_slots_that_ask_at_once_are_spread() -> None:
    portfolio = Portfolio(flat_space())
    made: Counter[str] = Counter()
    for number in range(9):
        proposal = portfolio.ask(number, generator(0, number, "ask"))
        assert proposal.note is not None
        made[str(proposal.note["by"])] += 1
        portfolio.observe(
            Asked(number=number, architecture=proposal.architecture, note=proposal.note)
        )
    assert sorted(made.values()) == [3, 3, 3]
