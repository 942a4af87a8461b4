"""The optimizer for whoever names none: a model while results are few, evolution afterwards.

The rule, in full. One objective: Gaussian process for the first ``model_trials`` trials, then
regularized evolution. Several objectives: the genetic algorithm with fronts and crowding after as
many trials as a third of that. While more than ``model_slots`` trials are under way, the one that
would come afterwards proposes at once: a model learns little between so many asks, and its time
grows with them. All of them see every result from the first, so a change of hands loses nothing;
who made a proposal stands in its note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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
from morphml.optimizers.gaussian_process import GaussianProcess
from morphml.optimizers.genetic_algorithm import GeneticAlgorithm
from morphml.optimizers.regularized_evolution import RegularizedEvolution
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.space import SearchSpace

#: With several objectives the model is in charge for so small a part of ``model_trials``.
FRONT_PART = 3


@dataclass(frozen=True, kw_only=True)
class AutoSettings:
    """Settings of the automatic choice."""

    #: Trials that the model proposes before evolution takes over, >= 0. Its time to propose grows
    #: to some 20 ms by then, and evolution gains less from a model the more it has seen.
    model_trials: int = 300
    #: Trials under way beyond which the model is not asked, >= 0.
    model_slots: int = 100

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("auto", "model_trials", self.model_trials, 0)
        require_least("auto", "model_slots", self.model_slots, 0)


class Auto:
    """Hands over from one optimizer to another as the search grows."""

    name: str = "auto"
    version: int = 2

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``AutoSettings``."""
        self.space = space
        self._settings = read_settings(AutoSettings, self.name, settings)
        #: None once evolution took over for good.
        self._model: GaussianProcess | None = None
        if self._settings.model_trials:
            self._model = GaussianProcess(space)
        self._evolution = RegularizedEvolution(space)
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
        made = self._in_charge()
        proposal = made.ask(number, rng)
        return Proposal(
            architecture=proposal.architecture,
            parents=proposal.parents,
            note={"by": made.name},
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
        self._evolution.observe(event)
        self._breeding.observe(event)
        part = FRONT_PART if self._objectives > 1 else 1
        if self._asked * part >= self._settings.model_trials:
            self._model = None
        if self._model is not None:
            self._model.observe(event)

    def _in_charge(self) -> Optimizer:
        if self._model is not None and len(self._running) <= self._settings.model_slots:
            return self._model
        return self._breeding if self._objectives > 1 else self._evolution
