"""The attempts of one experiment, and what is to be told of them."""

from __future__ import annotations

from collections import deque

from morphml.engines.port import EngineEvent, Finished, Logged
from morphml.engines.remote.hub.readiness import Readiness
from morphml.ids import AttemptToken, ExperimentId


class Group:
    """One experiment.

    Args:
        experiment: its id.
        max_logs: log lines are dropped when so many events wait.
    """

    def __init__(self, experiment: ExperimentId, max_logs: int) -> None:
        self.experiment = experiment
        self._max_logs = max_logs
        #: Number of the lane that listens; 0 for none.
        self.listener = 0
        #: Whether workers are told of it before there is a task for them.
        self.prepared = False
        #: The workers that get ready for it; None when tasks may be sent.
        self.readiness: Readiness | None = None
        #: Tokens of all that have not been acknowledged.
        self.tokens: set[AttemptToken] = set()
        #: What nobody has taken yet, in order.
        self.events: deque[EngineEvent] = deque()
        #: Log lines that were dropped.
        self.dropped_logs = 0

    @property
    def attached(self) -> bool:
        """Whether its driver listens here."""
        return self.listener != 0

    @property
    def is_over(self) -> bool:
        """Nothing is left of it."""
        return not (self.attached or self.tokens or self.events)

    # --- what is to be told ----------------------------------------------------------------------

    def tell(self, event: EngineEvent) -> None:
        """Put an event at the end; log lines are dropped where too much waits."""
        if isinstance(event, Logged) and len(self.events) >= self._max_logs:
            self.dropped_logs += 1
            return
        self.events.append(event)

    def take(self, ends: float) -> list[EngineEvent]:
        """What is to be told, in order, up to so many ends; the rest stays."""
        taken: list[EngineEvent] = []
        while self.events and ends > 0:
            event = self.events.popleft()
            taken.append(event)
            ends -= isinstance(event, Finished)
        return taken

    def withdraw(self, end: Finished) -> None:
        """Take an end back that nobody has taken."""
        self.events.remove(end)

    def clear(self) -> None:
        """Forget every attempt and event."""
        self.readiness = None
        self.tokens.clear()
        self.events.clear()
