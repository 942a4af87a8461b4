"""Random search: every proposal is a fresh draw from the space (Bergstra and Bengio, 2012)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import JSON, Event
from morphml.optimizers.settings import NoSettings, read_settings
from morphml.space import SearchSpace


class RandomSearch:
    """Learns nothing and keeps nothing: the yardstick that others must beat."""

    name: str = "random"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer; there is no setting, so any given is refused."""
        read_settings(NoSettings, self.name, settings)
        self.space = space

    @property
    def settings(self) -> Mapping[str, JSON]:
        """Empty: there is nothing to set."""
        return {}

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A draw from the space; it may repeat an earlier one."""
        return Proposal(architecture=self.space.sample(rng))

    def observe(self, event: Event) -> None:
        """Do nothing: no draw depends on another."""
