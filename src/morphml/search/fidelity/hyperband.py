"""Hyperband without waiting: brackets of successive halving that begin at different rungs.

Li et al., 2018, Hyperband; asynchronous as in Li et al., 2020, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from morphml.optimizers.events import JSON
from morphml.optimizers.pareto import Result
from morphml.optimizers.settings import read_settings, write_settings
from morphml.search.fidelity.asha import AshaSettings
from morphml.search.fidelity.contract import Promotion, RungCount
from morphml.search.fidelity.ladder import Ladder
from morphml.search.fidelity.rungs import rung_epochs


class Hyperband:
    """Brackets 0, 1, ... begin at the first, second, ... rung; the last gives full trials only.

    So a space in which few epochs say little about many costs at most some of the brackets. Each
    new trial joins the bracket that is furthest behind its share; the shares are Hyperband's:
    ``ceil(rungs / (rungs - s) * eta ** (rungs - 1 - s))`` for bracket ``s``.

    Args:
        max_epochs: epochs of a full trial.
        settings: those of ``AshaSettings``.

    Raises:
        OptimizerError, ExperimentError: an unknown setting, or one out of range.
    """

    name: str = "hyperband"
    pauses: bool = True

    def __init__(self, max_epochs: int, **settings: JSON) -> None:
        self._settings = read_settings(AshaSettings, self.name, settings)
        eta = self._settings.eta
        self.rungs = rung_epochs(self._settings.min_epochs, max_epochs, eta)
        rungs = len(self.rungs)
        self._ladders = [Ladder(self.rungs[s:], eta) for s in range(rungs)]
        self._shares = [ceil(rungs / (rungs - s) * eta ** (rungs - 1 - s)) for s in range(rungs)]
        self._begun = [0] * rungs
        self._bracket_of: dict[int, int] = {}

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def bracket(self) -> int:
        """The bracket furthest behind its share; of equals the one with the shortest trials."""
        filled = [begun / share for begun, share in zip(self._begun, self._shares, strict=True)]
        return filled.index(min(filled))

    def first_epoch(self, bracket: int) -> int:
        """The rung at which the bracket begins."""
        return self.rungs[bracket]

    def began(self, number: int, bracket: int) -> None:
        """The trial counts for its bracket."""
        self._begun[bracket] += 1
        self._bracket_of[number] = bracket

    def measured(self, number: int, epoch: int, result: Result) -> None:
        """The trial waits at the rung of its bracket; O(log n)."""
        self._ladders[self._bracket_of[number]].measured(number, epoch, result)

    def promoted(self, number: int) -> None:
        """The trial waits no more; O(rungs)."""
        self._ladders[self._bracket_of[number]].promoted(number)

    def ended(self, number: int) -> None:
        """The trial is never promoted; O(rungs)."""
        self._ladders[self._bracket_of[number]].ended(number)

    def due(self) -> Promotion | None:
        """Of each bracket's promotion the one to the highest rung; O(n / eta)."""
        found = [due for ladder in self._ladders if (due := ladder.due()) is not None]
        return max(found, key=lambda due: (due.to_epoch, -due.number), default=None)

    def stops(self, number: int, epoch: int, result: Result) -> bool:
        """Nothing is stopped: a trial pauses when its segment is over."""
        return False

    def counts(self) -> tuple[RungCount, ...]:
        """The rungs, lowest first, over all brackets."""
        found = [count for ladder in self._ladders for count in ladder.counts()]
        return tuple(_sum(epochs, found) for epochs in self.rungs)


def _sum(epochs: int, found: list[RungCount]) -> RungCount:
    mine = [count for count in found if count.epochs == epochs]
    return RungCount(
        epochs=epochs,
        reached=sum(count.reached for count in mine),
        promoted=sum(count.promoted for count in mine),
        waiting=sum(count.waiting for count in mine),
    )
