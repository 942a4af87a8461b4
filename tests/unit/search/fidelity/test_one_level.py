"""What optimizers see of trials that get different numbers of epochs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from morphml.optimizers import (
    JSON,
    Answered,
    Asked,
    Cancelled,
    Event,
    Optimizer,
    Paused,
    Proposal,
    Reported,
    Told,
    create_optimizer,
)
from morphml.search.fidelity import OneLevel
from morphml.seeds import generator
from morphml.space import Architecture, SearchSpace, real
from morphml.testing.optimizer_contract import OptimizerContract

SPACE = SearchSpace(decisions={"x": real(0.0, 1.0)})


class TestRandomAtOneLevel(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return OneLevel(lambda: create_optimizer("random", space), (1, 3))


class TestEvolutionAtOneLevel(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        settings: Mapping[str, JSON] = {"population_size": 10, "sample_size": 3}
        return OneLevel(lambda: create_optimizer("evolution", space, **settings), (1, 3))


class Listening:
    """An optimizer that keeps what it is told."""

    name = "listening"
    version = 1
    settings: Mapping[str, JSON] = {}  # empty

    def __init__(self) -> None:
        self.space = SPACE
        self.heard: list[Event] = []

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        return Proposal(architecture=SPACE.sample(rng))

    def observe(self, event: Event) -> None:
        self.heard.append(event)

    @property
    def told(self) -> dict[int, tuple[float, ...] | None]:
        told = [event for event in self.heard if isinstance(event, Told)]
        assert len({event.number for event in told}) == len(told), "each is told once"
        return {event.number: event.values for event in told}


def listened() -> tuple[OneLevel, list[Listening]]:
    made: list[Listening] = []

    def make() -> Listening:
        made.append(Listening())
        return made[-1]

    return OneLevel(make, (1, 3, 9)), made


def member(number: int) -> Architecture:
    return SPACE.sample(generator(0, number, "member"))


def come(level: OneLevel, number: int, step: int, value: float) -> None:
    level.observe(Reported(number=number, step=step, values=(value,)))


def test_results_of_the_lowest_rung_count_at_first() -> None:
    level, made = listened()
    level.observe(Asked(number=0, architecture=member(0)))
    come(level, 0, 1, 0.5)
    level.observe(Paused(number=0, step=1))
    come(level, 0, 3, 0.2)
    level.observe(Told(number=0, values=(0.2,), step=3))
    assert (level.level, made[0].told) == (1, {0: (0.5,)})


def test_level_rises_with_ten_results_and_all_is_learnt_anew() -> None:
    level, made = listened()
    for number in range(12):
        level.observe(Asked(number=number, architecture=member(number)))
        come(level, number, 1, 0.1 * number)
    level.observe(Told(number=11, values=(1.1,), step=1))
    for number in range(9):
        come(level, number, 3, 0.01 * number)
    assert (level.level, len(made)) == (1, 1)
    come(level, 9, 3, 0.09)
    assert (level.level, len(made)) == (3, 2)
    expected: dict[int, tuple[float, ...] | None] = {n: (0.01 * n,) for n in range(10)}
    # The eleventh still waits below the level; the twelfth ended there, and so ranks worst.
    assert made[1].told == {**expected, 11: None}
    come(level, 10, 3, 0.5)
    assert made[1].told[10] == (0.5,)


def test_full_results_count_at_every_level() -> None:
    level, made = listened()
    level.observe(Asked(number=0, architecture=member(0)))
    level.observe(Told(number=0, values=(0.5,)))
    assert made[0].told == {0: (0.5,)}


def test_duplicates_are_answered_at_the_level() -> None:
    level, made = listened()
    level.observe(Asked(number=0, architecture=member(0)))
    come(level, 0, 1, 0.5)
    level.observe(Answered(architecture=member(0), source=0, values=None))
    # Of another experiment, and so of full trials, which the level is not.
    level.observe(Answered(architecture=member(1), source=None, values=(0.1,)))
    answers = [event for event in made[0].heard if isinstance(event, Answered)]
    assert [answer.values for answer in answers] == [(0.5,), None]


def test_cancelled_trials_are_told_of_only_while_they_are_pending() -> None:
    level, made = listened()
    for number in range(2):
        level.observe(Asked(number=number, architecture=member(number)))
    come(level, 0, 1, 0.5)
    level.observe(Cancelled(number=0))
    level.observe(Cancelled(number=1))
    assert [e.number for e in made[0].heard if isinstance(e, Cancelled)] == [1]
