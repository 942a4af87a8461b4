"""Searches led by a model pass the public suite; not among unit tests since models are slow."""

from __future__ import annotations

from morphml.optimizers import Auto, Bananas, GaussianProcess, Optimizer
from morphml.space import SearchSpace
from morphml.testing.optimizer_contract import OptimizerContract


class TestGaussianProcess(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return GaussianProcess(space, starts=4, window=20)


class TestAuto(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return Auto(space, model_trials=20)


class TestBananas(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return Bananas(space, starts=4, window=20)


class TestGaussianProcessOverGraphs(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return GaussianProcess(space, starts=4, window=20, kernel="graph", acquisition="thompson")
