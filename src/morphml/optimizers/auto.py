"""The optimizer for whoever names none: a model while results are few, evolution afterwards.

The rule, in full. One objective: Gaussian process for the first ``model_trials`` trials, then
regularized evolution. Several objectives: the genetic algorithm with fronts and crowding after as
many trials as a third of that. All of them see every result from the first, so a change of hands
loses nothing; who made a proposal stands in its note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphml.optimizers.contract import Optimizer, Proposal
from morphml.optimizers.events import JSON, Answered, Asked, Event, Told
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

    def __post_init__(self) -> None:
        """Check the range."""
        require_least("auto", "model_trials", self.model_trials, 0)


class Auto:
    """Hands over from one optimizer to another as the search grows."""

    name: str = "auto"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``AutoSettings``."""
        self.space = space
        self._settings = read_settings(AutoSettings, self.name, settings)
        self._model = GaussianProcess(space)
        self._evolution = RegularizedEvolution(space)
        self._breeding = GeneticAlgorithm(space)
        self._asked = 0
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
        if isinstance(event, Asked):
            self._asked += 1
        if isinstance(event, Told | Answered) and event.values is not None:
            self._objectives = len(event.values)
        for each in (self._model, self._evolution, self._breeding):
            each.observe(event)

    def _in_charge(self) -> Optimizer:
        several = self._objectives > 1
        part = FRONT_PART if several else 1
        if self._asked * part < self._settings.model_trials:
            return self._model
        return self._breeding if several else self._evolution
