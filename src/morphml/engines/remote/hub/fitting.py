"""How well the workers of a hub fit what they are to run: whether they could, and how much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.ids import ExperimentId


class Fitting:
    """Whether there is a worker for it. May be called from any thread.

    Args:
        switchboard: of the hub.
    """

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    def demand(self) -> int:
        """Tasks that wait and run here, and those that drivers here expect."""
        return self._switchboard.act(lambda book, _: book.wishes.demand())

    def busy(self, experiment: ExperimentId) -> int:
        """Its attempts that wait or run, those included that a worker has just brought here."""
        return self._switchboard.act(lambda book, _: book.drivers.busy(experiment))

    def could_run(self, requirements: Mapping[str, float]) -> bool:
        """Whether some worker could run such attempts, busy as it may be."""
        return self._switchboard.act(lambda book, _: book.ledger.offers.could_run(requirements))

    def ahead(self, owners: Iterable[ExperimentId]) -> float:
        """What may lie at workers beyond their slots, as a share of those: the most of any owner's.

        It depends on how long their attempts run; 0 of those that are not known yet.
        """
        known = list(owners)
        return self._switchboard.act(
            lambda book, _: max(map(book.wishes.ahead, known), default=0.0)
        )

    def send_back(self, experiment: ExperimentId, requirements: Mapping[str, float]) -> None:
        """Let go of what waits here with these requirements: it ends as ``Returned``."""
        self._switchboard.act(
            lambda book, now: book.wishes.send_back(experiment, requirements, now)
        )
