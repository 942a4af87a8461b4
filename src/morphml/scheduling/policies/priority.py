"""More important tasks first, with ageing."""

from __future__ import annotations

from morphml.scheduling.placing import Placing
from morphml.scheduling.policies.ageing import AGE_STEP_S, aged_rank, checked_age_step
from morphml.scheduling.policies.contract import Observation, Queue, Request
from morphml.scheduling.policies.ranked import RankedQueue
from morphml.scheduling.seat import Ahead, Key, Seat


class Priority:
    """Higher priorities go first; one step of priority is overtaken by ``age_step_s`` of waiting.

    Each task goes to the worker that has been here longest.

    Args:
        age_step_s: seconds of waiting that are worth one step of priority, > 0.
    """

    name: str = "priority"
    weighs: bool = False
    ahead: Ahead | None = None

    def __init__(self, age_step_s: float = AGE_STEP_S) -> None:
        self.age_step_s = checked_age_step(age_step_s)

    def rank(self, request: Request) -> float:
        """See ``aged_rank``."""
        return aged_rank(request, self.age_step_s)

    def key(self, seat: Seat) -> Key:
        """When the worker came."""
        return (seat.joined,)

    def queue(self, placing: Placing) -> Queue:
        """By rank."""
        return RankedQueue(placing)

    def observe(self, event: Observation) -> None:
        """Learns nothing."""
