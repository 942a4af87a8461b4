"""What the workers of a hub could run at all, and what waits for a worker that is not here."""

from __future__ import annotations

from collections.abc import Mapping

from morphml.engines.port import Returned
from morphml.engines.remote.hub.attempt import Moment
from morphml.engines.remote.hub.ledger import Ledger
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.ids import ExperimentId


class Fitting:
    """Whether there is a worker for it. May be called from any thread.

    Args:
        switchboard: of the hub.
    """

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    def could_run(self, requirements: Mapping[str, float]) -> bool:
        """Whether some worker could run such attempts, busy as it may be. Cost: O(workers)."""
        return self._switchboard.act(lambda book, _: book.ledger.places.could_run(requirements))

    def send_back(self, experiment: ExperimentId, requirements: Mapping[str, float]) -> None:
        """Let go of what waits here with these requirements: it ends as ``Returned``."""
        self._switchboard.act(
            lambda book, now: _send_back(book.ledger, experiment, requirements, now)
        )


def _send_back(
    ledger: Ledger, experiment: ExperimentId, requirements: Mapping[str, float], now: Moment
) -> None:
    group = ledger.groups.get(experiment)
    for attempt in () if group is None else group.waiting():
        if attempt.requirements == requirements:
            ledger.end_as(attempt, Returned(), now, lost=False)
