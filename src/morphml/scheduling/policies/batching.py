"""Small tasks go to workers several at a time."""

from __future__ import annotations

from morphml.errors import SchedulingError
from morphml.scheduling.placing import Placing
from morphml.scheduling.policies.ageing import AGE_STEP_S, aged_rank, checked_age_step
from morphml.scheduling.policies.contract import Observation, Queue, Request
from morphml.scheduling.policies.ranked import RankedQueue
from morphml.scheduling.seat import Ahead, Key, Seat


class Batching:
    """Workers get several short tasks for each slot in one message, and more when half are done.

    Meant for tasks of milliseconds, where each message costs more than it should. Long tasks are
    given out one by one. Tasks go by priority with ageing.

    Args:
        size: tasks that are queued for each slot beyond the one that runs, >= 1.
        below_s: seconds that tasks of an experiment take on average, below which it holds.
        age_step_s: seconds of waiting that are worth one step of priority, > 0.

    Raises:
        SchedulingError: a setting is out of range.
    """

    name: str = "batching"
    weighs: bool = False

    def __init__(
        self, size: float = 8.0, below_s: float = 0.2, age_step_s: float = AGE_STEP_S
    ) -> None:
        if not 1.0 <= size <= 1000.0:
            raise SchedulingError(f"size: from 1 to 1000 tasks, got {size:g}")
        if not 0.0 < below_s <= 60.0:
            raise SchedulingError(f"below_s: a time above 0 s, at most 60 s, got {below_s:g}")
        self.age_step_s = checked_age_step(age_step_s)
        self.ahead: Ahead | None = Ahead(least=size, most=size, below_s=below_s, refill=size / 2.0)

    def rank(self, request: Request) -> float:
        """See ``aged_rank``."""
        return aged_rank(request, self.age_step_s)

    def key(self, seat: Seat) -> Key:
        """The used share; of two alike the one that was used longest ago."""
        return (seat.share, seat.turn)

    def queue(self, placing: Placing) -> Queue:
        """By rank."""
        return RankedQueue(placing)

    def observe(self, event: Observation) -> None:
        """Learns nothing."""
