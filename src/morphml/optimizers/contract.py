"""The contract between an optimizer and the search that drives it.

An optimizer is a fold over the log: everything it knows came through ``observe``. ``ask`` reads
that knowledge and the generator given, and changes nothing, so a restart folds the log without one
ask, and ``replay --check`` may ask any proposal again. The suite that every optimizer passes is
``morphml.testing.optimizer_contract``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from morphml.optimizers.events import JSON, Event
from morphml.space import Architecture, SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One architecture to try, and where it came from."""

    architecture: Architecture
    #: Numbers of the trials it was made from; empty for a fresh draw.
    parents: tuple[int, ...] = ()
    #: <= 4 kB of JSON for what the decisions cannot give back; comes back in ``Asked.note``.
    note: Mapping[str, JSON] | None = None


class Optimizer(Protocol):
    """Proposes architectures from what the log says. Values are minimised.

    Nothing but the events observed and the generator given may enter a proposal: no clock, thread
    count, ``hash()`` or set order.
    """

    #: The name in the registry, such as ``"evolution"``.
    name: str
    #: Raised whenever the same log could give another proposal; stored with the experiment.
    version: int

    @property
    def space(self) -> SearchSpace:
        """What it searches."""
        ...

    @property
    def settings(self) -> Mapping[str, JSON]:
        """Every setting with its value; ``create_optimizer(name, space, **settings)`` is equal."""
        ...

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """A proposal for trial ``number``; leaves what the optimizer knows unchanged.

        Args:
            number: the trial's number if the proposal is taken.
            rng: the only randomness; made from (seed, number, purpose), drawn from freely.
        """
        ...

    def observe(self, event: Event) -> None:
        """Learn one log entry. Called for every entry, in the log's order."""
        ...
