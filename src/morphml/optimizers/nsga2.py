"""NSGA-II over graphs: fronts and crowding say who lives and who breeds (Deb et al., 2002).

Steady state, so asynchronous: each result joins the population and the worst leaves it at once
(Nebro and Durillo, 2009), instead of generations that wait for their slowest member.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.crossover import joined, uniform
from morphml.optimizers.events import JSON, Event
from morphml.optimizers.pareto import best_first
from morphml.optimizers.population import Member, parents_of
from morphml.optimizers.record import Record
from morphml.optimizers.seen_points import point_key
from morphml.optimizers.selection import tournament
from morphml.optimizers.settings import (
    read_settings,
    require_least,
    require_share,
    write_settings,
)
from morphml.optimizers.unseen import unseen_draw, unseen_mutant, unseen_walk
from morphml.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class Nsga2Settings:
    """Settings of NSGA-II."""

    #: Members alive, >= 2.
    population_size: int = 40
    #: Trials drawn at random to begin with, >= 1.
    starts: int = 20
    #: Share of children that have two parents, 0 to 1; the others are mutated copies.
    crossover_rate: float = 0.5
    #: Share of the children of two parents that are mutated as well, 0 to 1.
    mutation_rate: float = 0.5

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("nsga2", "population_size", self.population_size, 2)
        require_least("nsga2", "starts", self.starts, 1)
        require_share("nsga2", "crossover_rate", self.crossover_rate)
        require_share("nsga2", "mutation_rate", self.mutation_rate)


class Nsga2:
    """Keeps the best members by constraint violation, front and crowding; breeds from them.

    With one objective it is a plain elitist genetic algorithm.
    """

    name: str = "nsga2"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``Nsga2Settings``."""
        self.space = space
        self._settings = read_settings(Nsga2Settings, self.name, settings)
        self._record = Record()
        #: Best first.
        self._members: list[Member] = []

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A random draw to begin with, then a child of one or two winners of tournaments."""
        members, seen = self._members, self._record.seen
        if self._record.asked < self._settings.starts or not members:
            return Proposal(architecture=unseen_draw(self.space, seen, rng))
        first = members[tournament(members, 2, rng)]
        if rng.random() >= self._settings.crossover_rate:
            child = unseen_mutant(self.space, first.architecture, seen, rng)
            return Proposal(architecture=child, parents=parents_of(first))
        second = members[tournament(members, 2, rng)]
        parents = (first.architecture, second.architecture)
        child = joined(self.space, uniform, parents, self._settings.mutation_rate, rng)
        child = unseen_walk(self.space, child, seen, rng)
        return Proposal(architecture=child, parents=parents_of(first, second))

    def observe(self, event: Event) -> None:
        """Let a result in and the worst member out; O(population_size^2 x objectives)."""
        learned = self._record.observe(event)
        if learned is None:
            return
        key = point_key(learned.member.architecture)
        others = [m for m in self._members if point_key(m.architecture) != key]
        everybody = [*others, learned.member]
        order = best_first([member.result for member in everybody])
        self._members = [everybody[place] for place in order[: self._settings.population_size]]
