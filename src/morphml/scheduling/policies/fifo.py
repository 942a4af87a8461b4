"""First come, first served."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.scheduling.policies.contract import Placement, Request, WaitingTask, WorkerOffer
from morphml.scheduling.policies.placement import first_with_room, place_in_order


class Fifo:
    """Tasks go in the order in which they became ready, whatever their priority."""

    name: str = "fifo"

    def rank(self, request: Request) -> float:
        """When the task became ready."""
        return request.first_ready_at

    def place(
        self, window: Sequence[WaitingTask], workers: Sequence[WorkerOffer]
    ) -> list[Placement]:
        """Each task to the first suitable worker by name."""
        return place_in_order(window, workers, first_with_room)
