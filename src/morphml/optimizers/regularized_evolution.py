"""Regularized (ageing) evolution: the oldest die, however good (Real et al., 2019).

Asynchronous: a child is made whenever one is asked for, from whoever has been told by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import JSON, Asked, Event
from morphml.optimizers.pareto import better
from morphml.optimizers.population import Member, Population, parents_of, result_of
from morphml.optimizers.seen_points import SeenPoints, point_key
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.optimizers.unseen import unseen_mutant
from morphml.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class EvolutionSettings:
    """Settings of regularized evolution."""

    #: Members alive, and trials drawn at random to begin with; >= 2.
    population_size: int = 50
    #: Members drawn, with replacement, for each tournament; its best is the parent; >= 1.
    sample_size: int = 10

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("evolution", "population_size", self.population_size, 2)
        require_least("evolution", "sample_size", self.sample_size, 1)


class RegularizedEvolution:
    """Mutates the winner of a tournament among the youngest results.

    A child that was tried before is mutated again, so that a population around an optimum walks on
    instead of asking for what is known. The first ``population_size`` trials are random draws. With
    several objectives the winner is the first drawn of those that no other in the tournament
    dominates.
    """

    name: str = "evolution"
    version: int = 2

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``EvolutionSettings``."""
        self.space = space
        self._settings = read_settings(EvolutionSettings, self.name, settings)
        self._population = Population(self._settings.population_size)
        self._seen = SeenPoints()

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A random draw to begin with, then a mutated winner; O(sample_size)."""
        members = self._population.members
        if self._population.asked < self._settings.population_size or not members:
            return Proposal(architecture=self.space.sample(rng))
        parent = self._winner(members, rng)
        child = unseen_mutant(self.space, parent.architecture, self._seen, rng)
        return Proposal(architecture=child, parents=parents_of(parent))

    def observe(self, event: Event) -> None:
        """Take a result into the population; O(1), for a duplicate O(population_size)."""
        self._population.observe(event)
        if isinstance(event, Asked):
            self._seen.add(point_key(event.architecture))

    def _winner(self, members: list[Member], rng: np.random.Generator) -> Member:
        drawn: list[int] = rng.integers(len(members), size=self._settings.sample_size).tolist()
        if len(members[0].result.values) == 1:
            # As tuples, results of one objective sort from best to worst.
            return min([members[position] for position in drawn], key=result_of)
        winner = members[drawn[0]]
        for position in drawn[1:]:
            if better(members[position].result, winner.result):
                winner = members[position]
        return winner
