"""Differential evolution over the encoding: children from differences of members (Storn, 1997).

DE/rand/1/bin, asynchronous: each proposal is made for one place of the population, which its result
takes if it is not worse than whoever stands there by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.cube import reflected
from morphml.optimizers.events import JSON, Event
from morphml.optimizers.pareto import better
from morphml.optimizers.population import Member, parents_of
from morphml.optimizers.record import Record
from morphml.optimizers.seen_points import point_key
from morphml.optimizers.settings import (
    read_settings,
    require_least,
    require_share,
    write_settings,
)
from morphml.optimizers.unseen import unseen_draw, unseen_walk
from morphml.space import Architecture, SearchSpace

#: Children from other members in a row, after which a known one is mutated until it is unseen.
TRIES = 4
#: Members that a child needs: the one in its place, and three others.
LEAST = 4


@dataclass(frozen=True, kw_only=True)
class DifferentialEvolutionSettings:
    """Settings of differential evolution."""

    #: Places in the population; that many trials are drawn at random to begin with; >= 4.
    population_size: int = 20
    #: What the difference of two members is multiplied by, F in the paper; > 0.
    scale: float = 0.5
    #: Chance of each decision to come from the mutant, CR in the paper; 0 to 1.
    crossover_rate: float = 0.5

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("differential_evolution", "population_size", self.population_size, LEAST)
        require_least("differential_evolution", "scale", self.scale, 1e-9)
        require_share("differential_evolution", "crossover_rate", self.crossover_rate)


class DifferentialEvolution:
    """Adds the difference of two members to a third and crosses it with the one in a place.

    Meant for spaces of numbers; categorical decisions are rounded to the nearest option. With
    several objectives a result takes a place unless the one there dominates it.
    """

    name: str = "differential_evolution"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing; settings of ``DifferentialEvolutionSettings``."""
        self.space = space
        self._settings = read_settings(DifferentialEvolutionSettings, self.name, settings)
        self._record = Record()
        #: Whoever stands in each place, by place.
        self._places: dict[int, Member] = {}

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A random draw to begin with, then a child for one place; O(decisions)."""
        size = self._settings.population_size
        place = number % size
        seen = self._record.seen
        if self._record.asked < size or len(self._places) < LEAST:
            draw = unseen_draw(self.space, seen, rng)
            return Proposal(architecture=draw, note={"place": place})
        target = self._places.get(place)
        if target is None:  # whoever was drawn for it failed
            target = self._places[sorted(self._places)[int(rng.integers(len(self._places)))]]
        for _ in range(TRIES):
            child, parents = self._child(target, rng)
            if point_key(child) not in seen:
                break
        child = unseen_walk(self.space, child, seen, rng)
        return Proposal(architecture=child, parents=parents, note={"place": place})

    def observe(self, event: Event) -> None:
        """A result takes its place unless it is worse; O(objectives)."""
        learned = self._record.observe(event)
        if learned is None or learned.note is None:
            return
        place = learned.note["place"]
        assert isinstance(place, int)
        there = self._places.get(place)
        if there is None or not better(there.result, learned.member.result):
            self._places[place] = learned.member

    def _child(
        self, target: Member, rng: np.random.Generator
    ) -> tuple[Architecture, tuple[int, ...]]:
        others = [self._places[place] for place in sorted(self._places)]
        others = [member for member in others if member is not target]
        drawn = [others[place] for place in rng.choice(len(others), size=3, replace=False).tolist()]
        points = [self.space.encode(member.architecture) for member in (target, *drawn)]
        here, start, plus, minus = points
        mutant = reflected(start + self._settings.scale * (plus - minus))
        crossed = rng.random(len(here)) < self._settings.crossover_rate
        crossed[rng.integers(len(here))] = True
        child = self.space.decode(np.where(crossed, mutant, here))
        if not self.space.contains(child).ok:
            child = self.space.mutate(target.architecture, rng)
        return child, parents_of(target, *drawn)
