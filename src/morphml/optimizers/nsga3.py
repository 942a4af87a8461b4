"""NSGA-III by Optuna: fronts, and niches along reference lines (Deb and Jain, 2014).

Steady state: each time as many trials ended as the population holds, parents are chosen anew from a
window of all results, and children are made of them until the next time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import JSON, Event
from morphml.optimizers.settings import read_settings, require_least, require_share, write_settings
from morphml.optimizers.study import StudyGuide, StudySettings, quiet
from morphml.space import SearchSpace

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import NSGAIIISampler

#: Results that parents are chosen from, as a multiple of the population: half of them the best.
WINDOW = 4
#: Where the sampler reads a trial's generation: the window is generation 0.
_GENERATION = "NSGAIIISampler:generation"


@dataclass(frozen=True, kw_only=True)
class Nsga3Settings:
    """Settings of NSGA-III."""

    #: Parents, and random draws to begin with; >= 4.
    population_size: int = 40
    #: Chance of a child to come from two parents instead of one.
    crossover_rate: float = 0.9

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("nsga3", "population_size", self.population_size, 4)
        require_share("nsga3", "crossover_rate", self.crossover_rate)


class Nsga3:
    """Keeps parents that are spread evenly over the front; for many objectives.

    Constraints go before objectives.
    """

    name: str = "nsga3"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``Nsga3Settings``."""
        self.space = space
        self._settings = read_settings(Nsga3Settings, self.name, settings)
        size = self._settings.population_size
        self._guide = StudyGuide(
            space,
            StudySettings(
                name=self.name,
                make_sampler=partial(_sampler, self._settings),
                starts=size,
                window=WINDOW * size,
                every=size,
                first=size,
                tries=4,
                attributes={_GENERATION: 0},
                prepare=partial(_choose_parents, self._settings),
            ),
        )

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A child of two parents, or of one; O(parents x decisions)."""
        return self._guide.propose(rng)

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(decisions)."""
        self._guide.observe(event)


def _sampler(settings: Nsga3Settings, seed: int) -> NSGAIIISampler:
    from optuna.samplers import NSGAIIISampler  # noqa: PLC0415 takes a second, and few need it

    return quiet(
        lambda: NSGAIIISampler(
            population_size=settings.population_size,
            crossover_prob=settings.crossover_rate,
            seed=seed,
        )
    )


def _choose_parents(settings: Nsga3Settings, study: Study, seed: int) -> None:
    """Let the study remember the parents of all later asks, whoever asks first."""
    _sampler(settings, seed).get_parent_population(study, generation=1)
