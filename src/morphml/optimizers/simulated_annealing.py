"""Simulated annealing: worse neighbours are walked to as well, ever more rarely (1983).

After Kirkpatrick, Gelatt and Vecchi. Asynchronous: every slot tries a neighbour of where the walk
stands when it asks, and each result decides whether the walk goes there. The number that decides is
drawn at the ask and travels in the proposal's note, so a restart walks the same way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import JSON, Event
from morphml.optimizers.pareto import Result, better
from morphml.optimizers.population import Member, parents_of
from morphml.optimizers.record import Record
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.optimizers.spread import Spread
from morphml.optimizers.unseen import unseen_draw, unseen_mutant
from morphml.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class AnnealingSettings:
    """Settings of simulated annealing."""

    #: Random draws to begin with; the walk starts from the best of them; >= 1.
    starts: int = 10
    #: Temperature of the first step, in standard deviations of the results so far; >= 0.
    temperature: float = 0.5
    #: Results after which the temperature has halved; >= 1.
    half_life: int = 20
    #: Results in a row without a new best after which the walk goes back to the best; >= 1.
    patience: int = 50

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("simulated_annealing", "starts", self.starts, 1)
        require_least("simulated_annealing", "temperature", self.temperature, 0)
        require_least("simulated_annealing", "half_life", self.half_life, 1)
        require_least("simulated_annealing", "patience", self.patience, 1)


class SimulatedAnnealing:
    """Walks over neighbours: always to a better one, to a worse one with a falling chance.

    A result that is worse by d standard deviations is accepted with the chance exp(-d / T)
    (Metropolis). With several objectives d is the mean over the objectives, and a result that
    dominates is always accepted. One that violates the constraints more never is.
    """

    name: str = "simulated_annealing"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``AnnealingSettings``."""
        self.space = space
        self._settings = read_settings(AnnealingSettings, self.name, settings)
        self._record = Record()
        self._spread = Spread()
        self._here: Member | None = None
        self._best: Member | None = None
        #: Results since the best one was found.
        self._fruitless = 0

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A neighbour of where the walk stands; random draws to begin with. O(1)."""
        seen = self._record.seen
        if self._here is None or self._record.asked < self._settings.starts:
            return Proposal(architecture=unseen_draw(self.space, seen, rng))
        child = unseen_mutant(self.space, self._here.architecture, seen, rng)
        luck = round(float(rng.random()), 6)
        return Proposal(architecture=child, parents=parents_of(self._here), note={"luck": luck})

    def observe(self, event: Event) -> None:
        """Walk on, or stay; O(objectives)."""
        learned = self._record.observe(event)
        if learned is None:
            return
        member = learned.member
        if not learned.again:
            self._spread.add(member.result.values)
        self._fruitless += 1
        if self._best is None or better(member.result, self._best.result):
            self._best, self._fruitless = member, 0
        luck = None if learned.note is None else learned.note.get("luck")
        if self._here is None or self._accepts(member.result, self._here.result, luck):
            self._here = member
        if self._fruitless >= self._settings.patience:
            self._here, self._fruitless = self._best, 0

    def _accepts(self, result: Result, here: Result, luck: JSON) -> bool:
        if better(result, here):
            return True
        if result.violation > here.violation or not isinstance(luck, float):
            return False
        cooled = 0.5 ** (self._spread.count / self._settings.half_life)
        temperature = self._settings.temperature * cooled
        worse = self._spread.distance(result.values, here.values)
        return temperature > 0 and luck < math.exp(-max(0.0, worse) / temperature)
