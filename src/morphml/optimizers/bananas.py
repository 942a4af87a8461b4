"""BANANAS: an ensemble of neural networks predicts, mutants of the best are asked about.

After White, Neiswanger and Savani (2021): independent Thompson sampling over candidates made by
mutation. Asynchronous; pending trials need no liar, since every ask draws anew from the doubt.
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
from morphml.optimizers.surrogate.ensemble import EnsembleRegression
from morphml.optimizers.surrogate.guide import GuideSettings
from morphml.optimizers.surrogate.points import ENCODINGS
from morphml.optimizers.surrogate.restarts import Restarts
from morphml.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class BananasSettings:
    """Settings of BANANAS."""

    #: Random draws to begin with, >= 2.
    starts: int = 10
    #: What the networks see: ``graph``, ``path`` or ``decisions``; without a graph always the last.
    encoding: str = "graph"
    #: ``thompson``, ``ei``, ``pi`` or ``ucb``.
    acquisition: str = "thompson"
    #: Results that the networks see at most, >= 10: half of them the youngest, the others the
    #: best; it moves on with every tenth result.
    window: int = 1_000
    #: Results in a row without a new best after which a search that knows only its own results
    #: begins, >= 1; see ``surrogate.restarts``.
    patience: int = 30

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("bananas", "starts", self.starts, 2)
        require_one_of("bananas", "encoding", self.encoding, ENCODINGS)
        require_one_of("bananas", "acquisition", self.acquisition, ACQUISITIONS)
        require_least("bananas", "window", self.window, 10)
        require_least("bananas", "patience", self.patience, 1)


class Bananas:
    """Evaluates the best of one draw from an ensemble's predictions for each candidate.

    With several objectives each ask weighs them anew (ParEGO, Knowles, 2006).
    """

    name: str = "bananas"
    version: int = 3

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer that knows nothing yet; ``settings`` are those of ``BananasSettings``."""
        self.space = space
        self._settings = read_settings(BananasSettings, self.name, settings)
        self._search = Restarts(
            space,
            self._settings.encoding,
            EnsembleRegression(),
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

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """The winner of some 200 candidates; trains the networks after every tenth result."""
        return self._search.propose(rng)

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(decisions), at every tenth result O(window log window)."""
        self._search.observe(event)
