"""Every optimizer passes the public suite, and the suite fails optimizers that are broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from morphml.optimizers import (
    JSON,
    Answered,
    Cancelled,
    DifferentialEvolution,
    Event,
    GeneticAlgorithm,
    LocalSearch,
    Nsga2,
    Optimizer,
    ParticleSwarm,
    Portfolio,
    Proposal,
    QuasiRandom,
    RandomSearch,
    RegularizedEvolution,
    Rejected,
    SimulatedAnnealing,
    Told,
)
from morphml.space import SearchSpace
from morphml.testing.optimizer_contract import OptimizerContract


class TestRandomSearch(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return RandomSearch(space)


class TestRegularizedEvolution(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return RegularizedEvolution(space, population_size=8, sample_size=3)


class TestLocalSearch(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return LocalSearch(space, starts=2)


class TestGeneticAlgorithm(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return GeneticAlgorithm(space, population_size=8, elitism=2)


class TestGeneticAlgorithmByRank(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return GeneticAlgorithm(
            space, population_size=8, elitism=0, selection="rank", crossover="one_point"
        )


class TestGeneticAlgorithmByRoulette(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return GeneticAlgorithm(
            space,
            population_size=8,
            elitism=7,
            selection="roulette",
            crossover="subgraph",
            rates="adaptive",
        )


class TestSimulatedAnnealing(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return SimulatedAnnealing(space, starts=3, patience=8)


class TestDifferentialEvolution(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return DifferentialEvolution(space, population_size=6)


class TestParticleSwarm(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return ParticleSwarm(space, particles=4)


class TestNsga2(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return Nsga2(space, population_size=8, starts=4)


class TestQuasiRandom(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return QuasiRandom(space)


class TestPortfolio(OptimizerContract):
    def make(self, space: SearchSpace) -> Optimizer:
        return Portfolio(space, window=10)


class Broken:
    """A random search whose parts are replaced one by one by faulty ones."""

    name = "broken"
    version = 1

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.known: list[int] = []
        self.asks = 0

    @property
    def settings(self) -> Mapping[str, JSON]:
        return {}

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        return Proposal(architecture=self.space.sample(rng))

    def observe(self, event: Event) -> None:
        if isinstance(event, Told):
            self.known.append(event.number)


class LearnsInAsk(Broken):
    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        self.asks += 1
        rng.random(self.asks)
        return super().ask(number, rng)


class HiddenRandomness(Broken):
    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        return super().ask(number, np.random.default_rng())


class WantsResultsFirst(Broken):
    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        if number - len(self.known) > 20:
            raise RuntimeError("too many pending")
        return super().ask(number, rng)


class WantsResultsInOrder(Broken):
    def observe(self, event: Event) -> None:
        if isinstance(event, Told) and event.number != len(self.known):
            raise RuntimeError("out of order")
        super().observe(event)


class ComparesFailures(Broken):
    def observe(self, event: Event) -> None:
        if isinstance(event, Told):
            assert event.values is not None
            self.best = event.values[0]


class BreedsFailures(Broken):
    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        parents = tuple(self.known[-1:])
        return Proposal(architecture=self.space.sample(rng), parents=parents)


class InventsParents(Broken):
    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        parents = (number - 1,) if number else ()
        return Proposal(architecture=self.space.sample(rng), parents=parents)


class WritesLongNotes(Broken):
    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        return Proposal(architecture=self.space.sample(rng), note={"all": "x" * 5000})


class KnowsNoRejection(Broken):
    def observe(self, event: Event) -> None:
        if isinstance(event, Rejected):
            raise NotImplementedError


class KnowsNoCancel(Broken):
    def observe(self, event: Event) -> None:
        if isinstance(event, Cancelled):
            raise NotImplementedError


class OneObjectiveOnly(Broken):
    def observe(self, event: Event) -> None:
        if isinstance(event, Told) and event.values is not None:
            (self.best,) = event.values


class KnowsNoDuplicates(Broken):
    def observe(self, event: Event) -> None:
        if isinstance(event, Answered):
            raise NotImplementedError


class LeavesTheSpace(Broken):
    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        a, b = self.space.sample(rng), self.space.sample(rng)
        half = len(a.vector) // 2
        return Proposal(architecture=self.space.architecture(a.vector[:half] + b.vector[half:]))


class SpeaksNoJSON(Broken):
    @property
    def settings(self) -> Mapping[str, JSON]:
        return {"kinds": {1, 2}}  # type: ignore[dict-item]  # the fault under test


#: A test of the suite and an optimizer that it must fail; each test has one at least.
CAUGHT: list[tuple[str, type[Broken]]] = [
    ("test_it_says_what_it_is_in_json", SpeaksNoJSON),
    ("test_it_proposes_while_nothing_is_told", WantsResultsFirst),
    ("test_it_takes_results_in_any_order", WantsResultsInOrder),
    ("test_it_goes_on_when_trials_fail", ComparesFailures),
    ("test_it_never_builds_on_a_failed_trial", BreedsFailures),
    ("test_what_it_says_beside_a_proposal_can_be_stored", InventsParents),
    ("test_what_it_says_beside_a_proposal_can_be_stored", WritesLongNotes),
    ("test_it_takes_every_kind_of_event", KnowsNoRejection),
    ("test_it_takes_every_kind_of_event", KnowsNoCancel),
    ("test_it_takes_several_objectives", OneObjectiveOnly),
    ("test_it_keeps_conditional_decisions_valid", LeavesTheSpace),
    ("test_it_goes_on_when_the_space_runs_dry", KnowsNoDuplicates),
    ("test_same_seed_gives_the_same_search", HiddenRandomness),
    ("test_fresh_one_folds_the_log_and_goes_on_alike", LearnsInAsk),
    ("test_every_prefix_of_the_log_gives_its_proposal_again", HiddenRandomness),
    ("test_ask_changes_nothing", LearnsInAsk),
]


def suite_for(factory: Callable[[SearchSpace], Optimizer]) -> OptimizerContract:
    class Suite(OptimizerContract):
        def make(self, space: SearchSpace) -> Optimizer:
            return factory(space)

    return Suite()


def test_every_test_of_the_suite_has_a_broken_optimizer() -> None:
    every = {name for name in dir(OptimizerContract) if name.startswith("test")}
    assert {check for check, _ in CAUGHT} == every


@pytest.mark.parametrize(("check", "broken"), CAUGHT)
def test_suite_catches_the_broken_optimizer(check: str, broken: type[Broken]) -> None:
    with pytest.raises(Exception):  # noqa: B017 - each fault shows in its own way
        getattr(suite_for(broken), check)()


@pytest.mark.parametrize("check", sorted({check for check, _ in CAUGHT}))
def test_suite_passes_the_same_optimizer_unbroken(check: str) -> None:
    getattr(suite_for(Broken), check)()
