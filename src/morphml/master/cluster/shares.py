"""Who of the experiments that this master drives may use how many of its workers' slots."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from morphml.ids import ExperimentId
from morphml.scheduling.fair_share import Demand, fair_shares


class Shares:
    """Fair shares by priority, worked out anew when slots or demands change. Thread-safe.

    Args:
        slots: how many slots this master's workers have.
        lent: how many of them each experiment of another master has a right to.
    """

    def __init__(
        self, slots: Callable[[], int], lent: Callable[[], Mapping[ExperimentId, int]]
    ) -> None:
        self._all_slots = slots
        self.lent = lent
        self._demands: dict[ExperimentId, Demand] = {}
        self._known: tuple[int, dict[ExperimentId, int]] | None = None
        self._lock = threading.Lock()

    def update(self, demands: Mapping[ExperimentId, Demand]) -> None:
        """What the experiments want from now on; the others get nothing."""
        with self._lock:
            if demands != self._demands:
                self._demands = dict(demands)
                self._known = None

    def of(self, experiment: ExperimentId) -> int:
        """Slots that the experiment may use now."""
        return self._all().get(experiment, 0)

    def left(self) -> int:
        """Slots that no experiment driven here wants."""
        slots = self._slots()
        return max(0, slots - sum(self._all().values()))

    def _slots(self) -> int:
        return max(0, self._all_slots() - sum(self.lent().values()))

    def _all(self) -> dict[ExperimentId, int]:
        slots = self._slots()
        with self._lock:
            if self._known is None or self._known[0] != slots:
                self._known = (slots, fair_shares(slots, self._demands))
            return self._known[1]
