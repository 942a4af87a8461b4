"""Workers take turns."""

from __future__ import annotations

from morphml.scheduling.placing import Placing
from morphml.scheduling.policies.ageing import AGE_STEP_S, aged_rank, checked_age_step
from morphml.scheduling.policies.contract import Observation, Queue, Request
from morphml.scheduling.policies.ranked import RankedQueue
from morphml.scheduling.seat import Ahead, Key, Seat


class RoundRobin:
    """Each task goes to the worker with room that got one longest ago.

    Tasks go by priority with ageing.

    Args:
        age_step_s: seconds of waiting that are worth one step of priority, > 0.
    """

    name: str = "round_robin"
    weighs: bool = False
    ahead: Ahead | None = None

    def __init__(self, age_step_s: float = AGE_STEP_S) -> None:
        self.age_step_s = checked_age_step(age_step_s)

    def rank(self, request: Request) -> float:
        """See ``aged_rank``."""
        return aged_rank(request, self.age_step_s)

    def key(self, seat: Seat) -> Key:
        """When it got its last task; of those that never got one, who came first."""
        return (seat.turn, seat.joined)

    def queue(self, placing: Placing) -> Queue:
        """By rank."""
        return RankedQueue(placing)

    def observe(self, event: Observation) -> None:
        """Learns nothing."""
