"""Bayesian optimisation with a Gaussian process over decisions or graphs (Jones et al., 1998).

The kernel is the exponential of the Hamming distance of the decisions, or of how two canonical
graphs differ (as in Ru et al., 2021, NAS-BOWL); candidates are mutants of the best results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import JSON, Event
from morphml.optimizers.settings import (
    read_settings,
    require_least,
    require_one_of,
    write_settings,
)
from morphml.optimizers.surrogate.acquisition import ACQUISITIONS
from morphml.optimizers.surrogate.gaussian import GaussianRegression
from morphml.optimizers.surrogate.guide import GuideSettings
from morphml.optimizers.surrogate.points import ENCODINGS
from morphml.optimizers.surrogate.restarts import Restarts
from morphml.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class GaussianProcessSettings:
    """Settings of Gaussian-process search."""

    #: Random draws to begin with, >= 2.
    starts: int = 10
    #: What is compared: ``decisions`` (Hamming), ``graph`` or ``path``.
    kernel: str = "decisions"
    #: ``ei``, ``pi``, ``ucb`` or ``thompson``.
    acquisition: str = "ei"
    #: Results that the model is fitted to at most, >= 10: half of them the youngest, the others
    #: the best; it moves on with every tenth result.
    window: int = 400
    #: Results in a row without a new best after which a search that knows only its own results
    #: begins, >= 1; see ``surrogate.restarts``.
    patience: int = 30

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("gaussian_process", "starts", self.starts, 2)
        require_one_of("gaussian_process", "kernel", self.kernel, ENCODINGS)
        require_one_of("gaussian_process", "acquisition", self.acquisition, ACQUISITIONS)
        require_least("gaussian_process", "window", self.window, 10)
        require_least("gaussian_process", "patience", self.patience, 1)


class GaussianProcess:
    """Evaluates where the expected improvement is greatest.

    Trials under way count as if they came out as predicted, so any number of slots stay busy. With
    several objectives each ask weighs them anew (ParEGO, Knowles, 2006).
    """

    name: str = "gaussian_process"
    version: int = 3

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing; settings of ``GaussianProcessSettings``."""
        self.space = space
        self._settings = read_settings(GaussianProcessSettings, self.name, settings)
        self._search = Restarts(
            space,
            self._settings.kernel,
            GaussianRegression(),
            GuideSettings(
                starts=self._settings.starts,
                acquisition=self._settings.acquisition,
                window=self._settings.window,
            ),
            self._settings.patience,
        )

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    @property
    def anew(self) -> bool:
        """Whether a search that knows only its own results is in charge."""
        return self._search.anew

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """The most promising of some 200 candidates; O(window^3 + candidates x window^2)."""
        return self._search.propose(rng)

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(decisions), at every tenth result O(window log window)."""
        self._search.observe(event)
