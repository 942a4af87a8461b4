"""First come, first served."""

from __future__ import annotations

from morphml.scheduling.placing import Placing
from morphml.scheduling.policies.contract import Observation, Queue, Request
from morphml.scheduling.policies.ranked import RankedQueue
from morphml.scheduling.seat import Ahead, Key, Seat


class Fifo:
    """Tasks go in the order in which they became ready, whatever their priority.

    Each goes to the worker that has been here longest, so that those that came last are the first
    to have nothing to do, and can leave.
    """

    name: str = "fifo"
    weighs: bool = False
    ahead: Ahead | None = None

    def rank(self, request: Request) -> float:
        """When the task became ready."""
        return request.first_ready_at

    def key(self, seat: Seat) -> Key:
        """When the worker came."""
        return (seat.joined,)

    def queue(self, placing: Placing) -> Queue:
        """By rank."""
        return RankedQueue(placing)

    def observe(self, event: Observation) -> None:
        """Learns nothing."""
