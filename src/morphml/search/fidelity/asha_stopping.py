"""Asynchronous successive halving by stopping (Li et al., 2020, as in Tune and Syne Tune)."""

from __future__ import annotations

from collections.abc import Mapping

from morphml.optimizers.events import JSON
from morphml.optimizers.pareto import Result
from morphml.optimizers.settings import read_settings, write_settings
from morphml.search.fidelity.asha import AshaSettings
from morphml.search.fidelity.contract import Promotion, RungCount
from morphml.search.fidelity.rungs import Rung, rung_epochs


class AshaStopping:
    """A trial runs in one go and is stopped at the first rung where it is not among the best.

    At each rung it must be among the best ``1/eta`` of those that were there before, itself
    included; the first ``eta - 1`` at a rung go on. No checkpoint is needed, but a trial that was
    stopped never comes back, and the first ones go far whatever they are worth.

    Args:
        max_epochs: epochs of a full trial.
        settings: those of ``AshaSettings``.

    Raises:
        OptimizerError, ExperimentError: an unknown setting, or one out of range.
    """

    name: str = "asha_stopping"
    pauses: bool = False

    def __init__(self, max_epochs: int, **settings: JSON) -> None:
        self._settings = read_settings(AshaSettings, self.name, settings)
        self.rungs = rung_epochs(self._settings.min_epochs, max_epochs, self._settings.eta)
        self._rungs = [Rung(epochs) for epochs in self.rungs]

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def bracket(self) -> int:
        """There is one."""
        return 0

    def first_epoch(self, bracket: int) -> int:
        """A full trial."""
        return self.rungs[-1]

    def began(self, number: int, bracket: int) -> None:
        """Nothing is to be remembered before a trial is measured."""

    def measured(self, number: int, epoch: int, result: Result) -> None:
        """The first report at or after each rung counts there; O(rungs + log n)."""
        for rung in self._reached(number, epoch):
            rung.promoted += not self._falls_behind(rung, result)
            rung.add(number, result)
        if epoch >= self.rungs[-1]:
            self._rungs[-1].add(number, result)

    def promoted(self, number: int) -> None:
        """Nothing waits."""

    def ended(self, number: int) -> None:
        """What it reached still counts."""

    def due(self) -> Promotion | None:
        """Nothing waits."""
        return None

    def stops(self, number: int, epoch: int, result: Result) -> bool:
        """Whether it falls behind at a rung that it reaches now; O(n log n)."""
        reached = self._reached(number, epoch)
        return any(self._falls_behind(rung, result) for rung in reached)

    def counts(self) -> tuple[RungCount, ...]:
        """The rungs, lowest first."""
        return tuple(
            RungCount(epochs=rung.epochs, reached=len(rung), promoted=rung.promoted, waiting=0)
            for rung in self._rungs
        )

    def _reached(self, number: int, epoch: int) -> list[Rung]:
        """Rungs below a full trial that it has not been measured at before."""
        return [r for r in self._rungs[:-1] if r.epochs <= epoch and number not in r]

    def _falls_behind(self, rung: Rung, result: Result) -> bool:
        eta, there = self._settings.eta, len(rung) + 1
        return there >= eta and rung.place_of(result) >= there // eta
