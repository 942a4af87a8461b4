"""How a worker leaves: first what runs may end, then it is ended, then its ends are told.

No clock in here: times are handed in (seconds of a monotonic clock).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """How far the leaving is."""

    #: Nobody asked for it.
    WORKING = "working"
    #: Nothing new is taken; what runs may end by itself.
    DRAINING = "draining"
    #: Its time is over, and what still runs is being ended.
    EVICTING = "evicting"
    #: Nothing runs; ends wait for a master that stores them.
    FAREWELL = "farewell"
    #: The process may end.
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the leaving depends on."""

    #: Attempts that wait or run.
    busy: int
    #: Ends that no master has stored.
    unacknowledged: int


class Leaving:
    """The leaving of one worker.

    Args:
        farewell_s: seconds that ends are offered when nothing runs any more.
    """

    def __init__(self, farewell_s: float) -> None:
        self._farewell_s = farewell_s
        self.phase = Phase.WORKING
        self.reason = ""
        #: When the present phase ends by itself.
        self.due = math.inf

    def begin(self, reason: str, grace_s: float, now: float) -> bool:
        """Begin, or shorten the time of what runs; whether it began just now."""
        began = self.phase is Phase.WORKING
        if began:
            self.phase, self.reason = Phase.DRAINING, reason
        if self.phase is Phase.DRAINING:
            self.due = min(self.due, now + grace_s)
        return began

    def step(self, situation: Situation, now: float) -> Phase:
        """Go on as far as possible; returns the phase."""
        if self.phase is Phase.DRAINING and now >= self.due:
            self.phase, self.due = Phase.EVICTING, math.inf
        if self.phase in (Phase.DRAINING, Phase.EVICTING) and not situation.busy:
            self.phase, self.due = Phase.FAREWELL, now + self._farewell_s
        if self.phase is Phase.FAREWELL and (not situation.unacknowledged or now >= self.due):
            self.phase, self.due = Phase.LEFT, math.inf
        return self.phase
