"""Learns how fast workers are and what tasks cost, and ends the whole soon."""

from __future__ import annotations

from morphml.scheduling.outlook import Outlook
from morphml.scheduling.placing import Placing
from morphml.scheduling.policies.ageing import AGE_STEP_S, aged_rank, checked_age_step
from morphml.scheduling.policies.contract import Ended, Observation, Placed, Queue, Request
from morphml.scheduling.policies.shelves import Shelves
from morphml.scheduling.seat import Ahead, Key, Seat
from morphml.scheduling.speeds import Speeds


class Adaptive:
    """The fastest free worker gets the longest task of those that matter alike.

    Long tasks first, each where it is expected to end soonest, is list scheduling by longest
    processing time on uniform machines (Graham, 1969; Gonzalez, Ibarra and Sahni, 1977). Tasks
    are reordered only among those whose ranks lie within one step of ageing. The last ones are
    kept from slow workers where waiting for a fast one ends sooner.

    What tasks cost is known from their FLOPs x epochs up to a factor that is learned, as are speed
    and success of each worker. A worker of which nothing is known gets one task to show itself.

    Args:
        age_step_s: seconds of waiting that are worth one step of priority, > 0.
    """

    name: str = "adaptive"
    weighs: bool = True
    ahead: Ahead | None = None

    def __init__(self, age_step_s: float = AGE_STEP_S) -> None:
        self.age_step_s = checked_age_step(age_step_s)
        self._speeds = Speeds()
        self._outlook: Outlook | None = None

    def rank(self, request: Request) -> float:
        """See ``aged_rank``."""
        return aged_rank(request, self.age_step_s)

    def key(self, seat: Seat) -> Key:
        """Fast ones first; of those known alike, who uses the smallest share of its slots."""
        return (-self._speeds.speed(seat.name), seat.share, seat.joined)

    def queue(self, placing: Placing) -> Queue:
        """By rank in steps of ageing, then the longest that its worker should take."""
        self._outlook = Outlook(placing.fleet, placing.stakes, self._speeds)
        return Shelves(placing, self._outlook, self.age_step_s)

    def observe(self, event: Observation) -> None:
        """Learn from what ended."""
        if self._outlook is not None:
            if isinstance(event, Placed):
                self._outlook.placed(event)
            else:
                self._outlook.over(event.task.token)
        if isinstance(event, Ended):
            worker, task = event.worker.name, event.task
            if event.succeeded:
                self._speeds.succeeded(worker, task.experiment, task.cost, event.seconds)
            else:
                self._speeds.failed(worker)
