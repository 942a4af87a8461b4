"""Optimizers by library pass the public suite, and are asked alike in every process."""

from __future__ import annotations

import pytest

from morphml.optimizers import Optimizer, create_optimizer
from morphml.space import SearchSpace
from morphml.testing.optimizer_contract import OptimizerContract, OptimizerProcessContract


class TestTpe(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return create_optimizer("tpe", space, starts=4)


@pytest.mark.soak
class TestTpeWithSmallWindow(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return create_optimizer("tpe", space, starts=20, window=30)


class TestTpeAcrossProcesses(OptimizerProcessContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return create_optimizer("tpe", space, starts=4, window=20)


class TestNsga3(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return create_optimizer("nsga3", space, population_size=8)


class TestCmaEs(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return create_optimizer("cma_es", space)


class TestCmaEsAcrossProcesses(OptimizerProcessContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return create_optimizer("cma_es", space)


class TestNsga3AcrossProcesses(OptimizerProcessContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return create_optimizer("nsga3", space, population_size=8)


class TestSmac(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return create_optimizer("smac", space, starts=4, window=20)


@pytest.mark.soak  # each process imports for seconds
class TestSmacAcrossProcesses(OptimizerProcessContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return create_optimizer("smac", space, starts=4, window=20)


class TestOptunaGp(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        # Each of its proposals takes tenths of a second: a few of them, after moments of the log.
        return create_optimizer("optuna_gp", space, starts=52, window=50)
