"""Asynchronous successive halving by promotion.

Li et al., 2020, A System for Massively Parallel Hyperparameter Tuning, algorithm 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from morphml.optimizers.events import JSON
from morphml.optimizers.pareto import Result
from morphml.optimizers.settings import read_settings, write_settings
from morphml.search.fidelity.contract import Promotion, RungCount
from morphml.search.fidelity.ladder import Ladder
from morphml.search.fidelity.rungs import rung_epochs


@dataclass(frozen=True, kw_only=True)
class AshaSettings:
    """Settings of ASHA."""

    #: Epochs of the first rung, >= 1.
    min_epochs: int = 1
    #: One of so many goes on from each rung, with so many times the epochs, >= 2.
    eta: int = 3


class Asha:
    """Every trial begins at the lowest rung; the best ``1/eta`` of each rung go on to the next.

    Nobody waits for a rung to fill: a free slot takes the best paused trial that is among the best
    ``1/eta`` measured at its rung so far, the highest rung first, and where none is, a new trial.

    Args:
        max_epochs: epochs of a full trial.
        settings: those of ``AshaSettings``.

    Raises:
        OptimizerError, ExperimentError: an unknown setting, or one out of range.
    """

    name: str = "asha"
    pauses: bool = True

    def __init__(self, max_epochs: int, **settings: JSON) -> None:
        self._settings = read_settings(AshaSettings, self.name, settings)
        eta = self._settings.eta
        self.rungs = rung_epochs(self._settings.min_epochs, max_epochs, eta)
        self._ladder = Ladder(self.rungs, eta)

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def bracket(self) -> int:
        """There is one."""
        return 0

    def first_epoch(self, bracket: int) -> int:
        """The lowest rung."""
        return self.rungs[bracket]

    def began(self, number: int, bracket: int) -> None:
        """Nothing is to be remembered before a trial is measured."""

    def measured(self, number: int, epoch: int, result: Result) -> None:
        """The trial waits at the rung of that epoch; O(log n)."""
        self._ladder.measured(number, epoch, result)

    def promoted(self, number: int) -> None:
        """The trial waits no more; O(rungs)."""
        self._ladder.promoted(number)

    def ended(self, number: int) -> None:
        """The trial is never promoted; O(rungs)."""
        self._ladder.ended(number)

    def due(self) -> Promotion | None:
        """The best promotable trial of the highest rung that has one; O(n / eta)."""
        return self._ladder.due()

    def stops(self, number: int, epoch: int, result: Result) -> bool:
        """Nothing is stopped: a trial pauses when its segment is over."""
        return False

    def counts(self) -> tuple[RungCount, ...]:
        """The rungs, lowest first."""
        return self._ladder.counts()
