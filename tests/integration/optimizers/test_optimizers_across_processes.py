from __future__ import annotations

import numpy as np
import pytest

from morphml.optimizers import (
    Event,
    GaussianProcess,
    GeneticAlgorithm,
    LocalSearch,
    Optimizer,
    Proposal,
    RandomSearch,
    RegularizedEvolution,
)
from morphml.space import SearchSpace
from morphml.testing.optimizer_contract import OptimizerProcessContract


class TestRandomSearch(OptimizerProcessContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return RandomSearch(space)


class TestRegularizedEvolution(OptimizerProcessContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return RegularizedEvolution(space, population_size=8, sample_size=3)


class TestGeneticAlgorithm(OptimizerProcessContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return GeneticAlgorithm(space, population_size=8, elitism=2)


class TestLocalSearch(OptimizerProcessContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return LocalSearch(space, starts=2)


class TestGaussianProcess(OptimizerProcessContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return GaussianProcess(space, starts=4, window=20)


class AsksTheHash:
    """An optimizer whose proposals depend on the process's hash seed."""

    name = "hash"
    version = 1
    settings: dict[str, int] = {}  # noqa: RUF012 - never changed

    def __init__(self, space: SearchSpace) -> None:
        self.space = space

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        rng.random(hash("anything") % 1_000)
        return Proposal(architecture=self.space.sample(rng))

    def observe(self, event: Event) -> None:
        pass


class HashSuite(OptimizerProcessContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return AsksTheHash(space)


def test_suite_catches_an_optimizer_that_asks_the_hash() -> None:
    with pytest.raises(AssertionError):
        HashSuite().test_every_process_proposes_the_same()
