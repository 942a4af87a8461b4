"""Tree-structured Parzen estimators, by Optuna (Bergstra et al., 2011; Watanabe, 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import JSON, Event
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.optimizers.study import StudyGuide, StudySettings
from morphml.space import SearchSpace

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True, kw_only=True)
class TpeSettings:
    """Settings of TPE."""

    #: Random draws to begin with, >= 1.
    starts: int = 10
    #: Draws from the density of good points, of which the most promising is taken, >= 1.
    candidates: int = 24
    #: Results that the densities see, >= 20: half of them the best, half the youngest, and those
    #: that came since; moves on after each tenth of it.
    window: int = 500

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("tpe", "starts", self.starts, 1)
        require_least("tpe", "candidates", self.candidates, 1)
        require_least("tpe", "window", self.window, 20)


class Tpe:
    """Samples where good results are dense and bad ones are not.

    Trials under way count as bad ones, so that any number of slots keep apart. All decisions are
    drawn together; with several objectives one by one, and good is what comes first by front.
    """

    name: str = "tpe"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``TpeSettings``."""
        self.space = space
        self._settings = read_settings(TpeSettings, self.name, settings)
        self._guide = StudyGuide(
            space,
            StudySettings(
                name=self.name,
                make_sampler=partial(_sampler, self._settings),
                starts=self._settings.starts,
                window=self._settings.window,
                every=self._settings.window // 10,
                first=self._settings.window,
                tries=3,
            ),
        )

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """The most promising of the candidates; O(window x candidates x decisions)."""
        return self._guide.propose(rng)

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(decisions)."""
        self._guide.observe(event)


def _sampler(settings: TpeSettings, seed: int) -> BaseSampler:
    from optuna.samplers import TPESampler  # noqa: PLC0415 takes a second, and few need it

    return TPESampler(
        n_startup_trials=settings.starts, n_ei_candidates=settings.candidates, seed=seed
    )
