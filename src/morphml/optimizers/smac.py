"""Sequential model-based search with SMAC's random forest (Hutter et al., 2011; Lindauer, 2022).

The forest comes from the package `smac`, which also has the loop around it. That loop keeps its
state in objects and orders configurations by Python's string hash, so here the forest is asked by
the same guide as our other models: what is proposed is a function of the log.
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
    require_share,
    write_settings,
)
from morphml.optimizers.study import require_installed
from morphml.optimizers.surrogate.forest import ForestRegression
from morphml.optimizers.surrogate.guide import Guide, GuideSettings
from morphml.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class SmacSettings:
    """Settings of SMAC."""

    #: Random draws to begin with, >= 2.
    starts: int = 10
    #: Share of proposals that are random draws, 0 to 1.
    random_share: float = 0.2
    #: Results that the forest is grown from at most, >= 10: half of them the youngest, the others
    #: the best; it moves on with every tenth result.
    window: int = 1_000

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("smac", "starts", self.starts, 2)
        require_share("smac", "random_share", self.random_share)
        require_least("smac", "window", self.window, 10)


class Smac:
    """Evaluates where a forest expects the greatest improvement, and random draws in between.

    A failed trial has no cost that the forest could learn; it is not proposed again. With several
    objectives each ask weighs them anew (ParEGO, Knowles, 2006).
    """

    name: str = "smac"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``SmacSettings``."""
        require_installed(self.name, "smac", extra="smac")
        self.space = space
        self._settings = read_settings(SmacSettings, self.name, settings)
        self._guide = Guide(
            space,
            "places",
            ForestRegression(),
            GuideSettings(
                starts=self._settings.starts,
                acquisition="ei",
                window=self._settings.window,
                random_share=self._settings.random_share,
            ),
        )

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """The most promising of some 200 candidates; O(window log window) at every tenth result."""
        return self._guide.propose(rng)

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(decisions), at every tenth result O(window log window)."""
        self._guide.observe(event)
