"""Priorities with ageing: who waits long enough goes before whoever is more important."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.errors import ExperimentError
from morphml.scheduling.policies.contract import (
    PRIORITIES,
    Placement,
    Request,
    WaitingTask,
    WorkerOffer,
)
from morphml.scheduling.policies.placement import first_with_room, place_in_order

#: Seconds of waiting that are worth one step of priority.
AGE_STEP_S = 60.0


class Priority:
    """Higher priorities go first; one step of priority is overtaken by ``age_step_s`` of waiting.

    The rank is a constant, so claims stay a walk along an index: of two tasks the one with
    the smaller ``first_ready_at - priority * age_step_s`` goes first, at whatever time one asks.
    """

    name: str = "priority"

    def __init__(self, age_step_s: float = AGE_STEP_S) -> None:
        self.age_step_s = age_step_s

    def rank(self, request: Request) -> float:
        """When the task became ready, minus what its priority is worth.

        Raises:
            ExperimentError: the priority is not from 1 to 10.
        """
        low, high = PRIORITIES
        if not low <= request.priority <= high:
            raise ExperimentError(f"priority: from {low} to {high}, got {request.priority}")
        return request.first_ready_at - request.priority * self.age_step_s

    def place(
        self, window: Sequence[WaitingTask], workers: Sequence[WorkerOffer]
    ) -> list[Placement]:
        """Each task to the first suitable worker by name."""
        return place_in_order(window, workers, first_with_room)
