"""What operators may ask of a hub beside its workers and what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from morphml.engines.remote.hub.switchboard import Switchboard


class Sights:
    """Answers for dashboards and metrics. May be called from any thread.

    Args:
        switchboard: of the hub.
    """

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    def history(self, worker: str) -> Mapping[str, list[float | None]]:
        """Figures of a worker's last hour, oldest first: times under ``at``, others by name."""
        return self._switchboard.act(lambda book, _: book.ledger.health.history(worker))

    def barred(self) -> Mapping[str, int]:
        """How many workers get no work though they are here, by cause. Cost: O(workers)."""
        return self._switchboard.act(
            lambda book, _: Counter(
                cause
                for member in book.ledger.roster.members.values()
                if member.live
                for cause in member.barred
            )
        )

    def decisions(self) -> int:
        """How many attempts were sent to workers so far."""
        return self._switchboard.act(lambda book, _: book.ledger.faults.sent_so_far)
