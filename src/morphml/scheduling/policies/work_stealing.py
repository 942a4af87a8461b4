"""Each worker has a queue of its own, and who has nothing left takes from others."""

from __future__ import annotations

from morphml.scheduling.placing import Placing
from morphml.scheduling.policies.ageing import AGE_STEP_S, aged_rank, checked_age_step
from morphml.scheduling.policies.contract import Observation, Queue, Request
from morphml.scheduling.policies.homes import Homes
from morphml.scheduling.seat import Ahead, Key, Seat


class WorkStealing:
    """A task waits at a worker that has its data, else workers take turns in getting one.

    A worker with room serves its own queue, the longest task first; an idle one steals from the
    queue with most work (Blumofe and Leiserson, 1999). The queues lie at the master, so nothing is
    sent twice. Tasks are reordered only among those whose ranks lie within one step of ageing.

    Args:
        age_step_s: seconds of waiting that are worth one step of priority, > 0.
    """

    name: str = "work_stealing"
    weighs: bool = True
    ahead: Ahead | None = None

    def __init__(self, age_step_s: float = AGE_STEP_S) -> None:
        self.age_step_s = checked_age_step(age_step_s)

    def rank(self, request: Request) -> float:
        """See ``aged_rank``."""
        return aged_rank(request, self.age_step_s)

    def key(self, seat: Seat) -> Key:
        """The used share; of two alike the one that was used longest ago."""
        return (seat.share, seat.turn)

    def queue(self, placing: Placing) -> Queue:
        """A queue for each worker, by rank in steps of ageing."""
        return Homes(placing, self.age_step_s)

    def observe(self, event: Observation) -> None:
        """Learns nothing."""
