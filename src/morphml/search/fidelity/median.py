"""The median stopping rule (Golovin et al., 2017, Google Vizier)."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass

from morphml.optimizers.events import JSON
from morphml.optimizers.pareto import Result
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.search.fidelity.contract import Promotion, RungCount
from morphml.search.fidelity.rungs import rung_epochs


@dataclass(frozen=True, kw_only=True)
class MedianSettings:
    """Settings of the median rule."""

    #: Epochs that every trial gets, >= 1.
    min_epochs: int = 1
    #: Other trials that must have come as far before one is stopped, >= 2.
    min_trials: int = 5

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_least("median", "min_epochs", self.min_epochs, 1)
        require_least("median", "min_trials", self.min_trials, 2)


class Median:
    """A trial is stopped whose best report so far is worse than the median of the others.

    What the others count with is the mean of their reports up to the same epoch, so one lucky
    epoch says little. It looks at the first objective.

    Args:
        max_epochs: epochs of a full trial.
        settings: those of ``MedianSettings``.

    Raises:
        OptimizerError, ExperimentError: an unknown setting, or one out of range.
    """

    name: str = "median"
    pauses: bool = False

    def __init__(self, max_epochs: int, **settings: JSON) -> None:
        self._settings = read_settings(MedianSettings, self.name, settings)
        self.rungs = rung_epochs(self._settings.min_epochs, max_epochs, 3)
        #: By epoch: the running means of all trials that reported there, sorted.
        self._means: dict[int, list[float]] = {}
        #: Of each trial under way: how many reports, their sum, and the least.
        self._curves: dict[int, tuple[int, float, float]] = {}
        #: How many trials reported at or after each rung, and how many were not stopped before it.
        self._reached = [0] * len(self.rungs)
        self._last: dict[int, int] = {}

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
        """Nothing is to be remembered before a trial reports."""

    def measured(self, number: int, epoch: int, result: Result) -> None:
        """Add a report to the curve of its trial; O(log n)."""
        last = self._last.get(number, 0)
        if epoch <= last:
            return
        value = result.values[0]
        count, total, least = self._curves.get(number, (0, 0.0, value))
        self._curves[number] = (count + 1, total + value, min(least, value))
        insort(self._means.setdefault(epoch, []), (total + value) / (count + 1))
        for position, rung in enumerate(self.rungs):
            self._reached[position] += last < rung <= epoch
        self._last[number] = epoch

    def promoted(self, number: int) -> None:
        """Nothing waits."""

    def ended(self, number: int) -> None:
        """Its reports still count; its own curve is over."""
        self._curves.pop(number, None)
        self._last.pop(number, None)

    def due(self) -> Promotion | None:
        """Nothing waits."""
        return None

    def stops(self, number: int, epoch: int, result: Result) -> bool:
        """Whether its best report is worse than the median of the others' means; O(1)."""
        means = self._means.get(epoch, [])
        if epoch < self._settings.min_epochs or len(means) < self._settings.min_trials:
            return False
        if epoch >= self.rungs[-1]:
            return False
        best = min(result.values[0], self._curves.get(number, (0, 0.0, result.values[0]))[2])
        middle = len(means) // 2
        median = means[middle] if len(means) % 2 else (means[middle - 1] + means[middle]) / 2
        return best > median

    def counts(self) -> tuple[RungCount, ...]:
        """The rungs, lowest first; who reached the next one was not stopped."""
        beyond = [*self._reached[1:], 0]
        return tuple(
            RungCount(epochs=epochs, reached=reached, promoted=on, waiting=0)
            for epochs, reached, on in zip(self.rungs, self._reached, beyond, strict=True)
        )
