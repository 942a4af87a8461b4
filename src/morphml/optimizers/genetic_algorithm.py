"""A steady-state genetic algorithm: selection, crossover, mutation, elitism (Holland, 1975).

Asynchronous: there are no generations to wait for. Each ask makes one child from whoever has been
told by then, and each result takes the place of one member (Whitley, 1989, GENITOR).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.crossover import CROSSOVERS, joined
from morphml.optimizers.events import JSON, Event
from morphml.optimizers.population import Population, parents_of
from morphml.optimizers.selection import SELECTIONS
from morphml.optimizers.settings import (
    read_settings,
    require_least,
    require_one_of,
    require_share,
    write_settings,
)
from morphml.space import SearchSpace

#: How the rates of crossover and mutation go.
RATES = ("fixed", "adaptive")


@dataclass(frozen=True, kw_only=True)
class GeneticSettings:
    """Settings of the genetic algorithm."""

    #: Members alive, and trials drawn at random to begin with; >= 2.
    population_size: int = 50
    #: How parents are picked: ``tournament``, ``rank`` or ``roulette``.
    selection: str = "tournament"
    #: Members drawn for one tournament; >= 1.
    tournament_size: int = 3
    #: How two parents are joined: ``uniform``, ``one_point`` or ``subgraph``.
    crossover: str = "uniform"
    #: Share of children that have two parents, 0 to 1; the others are mutated copies.
    crossover_rate: float = 0.8
    #: Share of the children of two parents that are mutated as well, 0 to 1.
    mutation_rate: float = 0.5
    #: ``fixed`` or ``adaptive``: for parents in the better half both rates fall, to 0 for the
    #: best, so that good members are changed in one decision and bad ones are mixed.
    rates: str = "fixed"
    #: Best members that age does not remove; from 0 to ``population_size - 1``.
    elitism: int = 10

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("genetic", "population_size", self.population_size, 2)
        require_one_of("genetic", "selection", self.selection, SELECTIONS)
        require_least("genetic", "tournament_size", self.tournament_size, 1)
        require_one_of("genetic", "crossover", self.crossover, CROSSOVERS)
        require_share("genetic", "crossover_rate", self.crossover_rate)
        require_share("genetic", "mutation_rate", self.mutation_rate)
        require_one_of("genetic", "rates", self.rates, RATES)
        require_least("genetic", "elitism", self.elitism, 0)
        require_least("genetic", "population_size", self.population_size, self.elitism + 1)


class GeneticAlgorithm:
    """Breeds children from selected parents; the best members live on.

    The first ``population_size`` trials are random draws. With several objectives members are
    ordered by non-dominated front and crowding distance, as in NSGA-II, and selection works on that
    order.
    """

    name: str = "genetic"
    version: int = 2

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``GeneticSettings``."""
        self.space = space
        self._settings = read_settings(GeneticSettings, self.name, settings)
        self._select = SELECTIONS[self._settings.selection]
        self._cross = CROSSOVERS[self._settings.crossover]
        self._population = Population(self._settings.population_size, self._settings.elitism)

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A random draw to begin with, then a child of one or two members."""
        size = self._settings.population_size
        if self._population.asked < size or not self._population.members:
            return Proposal(architecture=self.space.sample(rng))
        settings, members = self._settings, self._population.best_first()
        place = self._select(members, settings.tournament_size, rng)
        first = members[place]
        if rng.random() >= settings.crossover_rate * self._share(place, len(members)):
            child = self.space.mutate(first.architecture, rng)
            return Proposal(architecture=child, parents=parents_of(first))
        partner = self._select(members, settings.tournament_size, rng)
        second = members[partner]
        mutation_rate = settings.mutation_rate * self._share(min(place, partner), len(members))
        parents = (first.architecture, second.architecture)
        child = joined(self.space, self._cross, parents, mutation_rate, rng)
        return Proposal(architecture=child, parents=parents_of(first, second))

    def observe(self, event: Event) -> None:
        """Take a result into the population; O(population_size log population_size)."""
        self._population.observe(event)

    def _share(self, place: int, members: int) -> float:
        """What is left of a rate for a parent at that place, the best at 0.

        By place instead of value, else as Srinivas and Patnaik (1994), equations 3 and 4.
        """
        if self._settings.rates == "fixed":
            return 1.0
        return min(1.0, 2.0 * place / max(1, members - 1))
