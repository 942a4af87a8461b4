"""The optimizer for whoever names none: models while results are few, evolution afterwards.

The rule, in full. One objective: a Gaussian process and BANANAS in turns for the first
``model_trials`` trials, since two models of different kinds are seldom wrong about the same region;
then regularized evolution. While the process searches anew, because nobody found a new best for
long, it proposes alone. Several objectives: the genetic algorithm with fronts and crowding after as
many trials as a third of that. While more than ``model_slots`` trials are under way, the one that
would come afterwards proposes at once: models learn little between so many asks, and their time
grows with them. All of them see every result from the first, so a change of hands loses nothing;
who made a proposal stands in its note.

Spaces of numbers alone, without a graph: the first trials, from which no model learns yet, are
spread evenly; afterwards a swarm of particles takes turns with evolution, whose steps do not shrink
as it comes near.

A budget counts as it is spent, not as it was planned: a search that is given more trials later goes
on as if it had had them from the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from morphml.optimizers.bananas import Bananas
from morphml.optimizers.contract import Optimizer, Proposal
from morphml.optimizers.events import (
    JSON,
    Answered,
    Asked,
    Cancelled,
    Event,
    Paused,
    Promoted,
    Told,
)
from morphml.optimizers.gaussian_process import GaussianProcess, GaussianProcessSettings
from morphml.optimizers.genetic_algorithm import GeneticAlgorithm
from morphml.optimizers.particle_swarm import MOST_DECISIONS, ParticleSwarm
from morphml.optimizers.quasi_random import QuasiRandom
from morphml.optimizers.regularized_evolution import RegularizedEvolution
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.space import SearchSpace
from morphml.space.decisions import Kind

#: With several objectives the models are in charge for so small a part of ``model_trials``.
FRONT_PART = 3
#: Patience of the networks, which do not begin anew: the process does so for both.
NEVER = 1_000_000_000
#: Trials of a space of numbers that are spread evenly: the process draws as many before it learns.
EVEN_TRIALS = GaussianProcessSettings().starts


@dataclass(frozen=True, kw_only=True)
class AutoSettings:
    """Settings of the automatic choice."""

    #: Trials that the models propose before evolution takes over, >= 0. Their time to propose grows
    #: to some 40 ms by then, and evolution gains less from a model the more it has seen.
    model_trials: int = 300
    #: Trials under way beyond which no model is asked, >= 0.
    model_slots: int = 100

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("auto", "model_trials", self.model_trials, 0)
        require_least("auto", "model_slots", self.model_slots, 0)


class Auto:
    """Hands over from one optimizer to another as the search grows."""

    name: str = "auto"
    version: int = 4

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``AutoSettings``."""
        self.space = space
        self._settings = read_settings(AutoSettings, self.name, settings)
        numbers = of_numbers(space)
        #: Who spreads the first trials; None where they are the models' own draws.
        self._even = QuasiRandom(space) if numbers and self._settings.model_trials else None
        #: None once evolution took over for good.
        self._models: tuple[GaussianProcess, Bananas] | None = None
        if self._settings.model_trials:
            self._models = GaussianProcess(space), Bananas(space, patience=NEVER)
        #: They take turns afterwards.
        self._later: tuple[RegularizedEvolution | ParticleSwarm, ...] = (
            RegularizedEvolution(space),
            *([ParticleSwarm(space)] if numbers else []),
        )
        self._breeding = GeneticAlgorithm(space)
        #: Trials that took a number so far, and those under way.
        self._asked = 0
        self._running: set[int] = set()
        #: Objectives, known from the first result on.
        self._objectives = 1

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A proposal of whoever is in charge now; it costs what theirs costs."""
        made = self._in_charge(number)
        proposal = made.ask(number, rng)
        return Proposal(
            architecture=proposal.architecture,
            parents=proposal.parents,
            note={**(proposal.note or {}), "by": made.name},
        )

    def observe(self, event: Event) -> None:
        """Let all of them learn one log entry."""
        match event:
            case Asked():
                self._asked += 1
                self._running.add(event.number)
            case Promoted():
                self._running.add(event.number)
            case Told() | Cancelled() | Paused():
                self._running.discard(event.number)
            case _:
                pass
        if isinstance(event, Told | Answered) and event.values is not None:
            self._objectives = len(event.values)
        for each in (*self._later, self._breeding, *([self._even] if self._even else [])):
            each.observe(event)
        part = FRONT_PART if self._objectives > 1 else 1
        if self._asked * part >= self._settings.model_trials:
            self._models = None
        for model in self._models or ():
            model.observe(event)

    def _in_charge(self, number: int) -> Optimizer:
        if self._models is not None and len(self._running) <= self._settings.model_slots:
            if self._even is not None and self._asked < EVEN_TRIALS:
                return self._even
            process = self._models[0]
            return process if process.anew else _in_turn(self._models, number)
        return self._breeding if self._objectives > 1 else _in_turn(self._later, number)


def of_numbers(space: SearchSpace) -> bool:
    """Whether all decisions are numbers that no graph is made of; at most 700, as a swarm takes."""
    kinds = {decision.kind for decision in space.decisions}
    few = 0 < len(space.decisions) <= MOST_DECISIONS
    return few and not space.has_graph and kinds <= {Kind.REAL, Kind.INTEGER}


def _in_turn(optimizers: Sequence[Optimizer], number: int) -> Optimizer:
    return optimizers[number % len(optimizers)]
