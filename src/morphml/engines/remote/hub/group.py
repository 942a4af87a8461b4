"""The attempts of one experiment: what waits for a worker, and what is to be told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from morphml.engines.port import EngineEvent, Finished, Logged
from morphml.engines.remote.hub.attempt import Attempt, AttemptState
from morphml.engines.remote.hub.readiness import Readiness
from morphml.ids import AttemptToken, ExperimentId

#: Requirements by rising name, and whom to avoid: attempts of one kind go where others of it go.
Kind: TypeAlias = tuple[tuple[tuple[str, float], ...], tuple[str, ...]]

#: Weight of the newest duration in the mean.
_NEWEST = 0.1


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
        #: Slots that it may use; decides only who goes first.
        self.share = 1
        #: Its attempts that lie at workers.
        self.used = 0
        #: Tokens of all that have not been acknowledged.
        self.tokens: set[AttemptToken] = set()
        #: What nobody has taken yet, in order.
        self.events: deque[EngineEvent] = deque()
        #: Log lines that were dropped.
        self.dropped_logs = 0
        #: Mean duration of the last attempts, in seconds; None before the first.
        self.mean_s: float | None = None
        #: Kind -> (order of arrival, attempt).
        self._waiting: dict[Kind, deque[tuple[int, Attempt]]] = {}
        self._arrivals = 0

    @property
    def attached(self) -> bool:
        """Whether its driver listens here."""
        return self.listener != 0

    @property
    def load(self) -> float:
        """How much of its share it uses: who uses least goes first."""
        return self.used / max(1, self.share)

    @property
    def hungry(self) -> bool:
        """Whether something may wait."""
        return bool(self._waiting)

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

    def withdraw(self, end: Finished) -> None:
        """Take an end back that nobody has taken."""
        self.events.remove(end)

    def clear(self) -> None:
        """Forget every attempt and event."""
        self.used = 0
        self.readiness = None
        self.tokens.clear()
        self.events.clear()
        self._waiting.clear()

    def learn(self, duration_s: float) -> None:
        """Count a duration in the mean."""
        mean = self.mean_s
        self.mean_s = duration_s if mean is None else mean + _NEWEST * (duration_s - mean)

    # --- what waits ------------------------------------------------------------------------------

    def wait(self, attempt: Attempt) -> None:
        """Put an attempt at the end of those of its kind."""
        kind = (tuple(sorted(attempt.requirements.items())), attempt.avoid)
        self._arrivals += 1
        self._waiting.setdefault(kind, deque()).append((self._arrivals, attempt))

    def heads(self) -> Iterator[tuple[Kind, Attempt]]:
        """The first of each kind, first come first."""
        if len(self._waiting) == 1:
            kind = next(iter(self._waiting))
            if (head := self._head(kind)) is not None:
                yield kind, head[1]
            return
        found = [(kind, head) for kind in list(self._waiting) if (head := self._head(kind))]
        for kind, (_, attempt) in sorted(found, key=lambda each: each[1][0]):
            yield kind, attempt

    def leave(self, kind: Kind) -> None:
        """The head of that kind waits no more."""
        queue = self._waiting[kind]
        queue.popleft()
        if not queue:
            del self._waiting[kind]

    def waiting(self) -> list[Attempt]:
        """All that wait, of each kind in order."""
        return [
            attempt
            for queue in self._waiting.values()
            for _, attempt in queue
            if attempt.state is AttemptState.WAITING
        ]

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind wait."""
        return {
            kind: sum(each.state is AttemptState.WAITING for _, each in queue)
            for kind, queue in self._waiting.items()
        }

    def _head(self, kind: Kind) -> tuple[int, Attempt] | None:
        """The first that still waits; those that were ended while they waited are dropped."""
        queue = self._waiting[kind]
        while queue and queue[0][1].state is not AttemptState.WAITING:
            queue.popleft()
        if not queue:
            del self._waiting[kind]
            return None
        return queue[0]
