"""An engine without machines: evaluates at once, so that only the search itself is timed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from morphml.engines.port import Assignment, Context, EngineEvent, Finished, Order, Succeeded
from morphml.ids import AttemptToken, ExperimentId
from morphml.space import Architecture, SearchSpace


class InstantEngine:
    """Holds up to ``slots`` attempts and ends all of them at the next ``events``."""

    def __init__(
        self, space: SearchSpace, evaluate: Callable[[Architecture, None], float], slots: int
    ) -> None:
        self._space = space
        self._evaluate = evaluate
        self.slots = slots
        self.ahead = 0
        self._waiting: deque[Assignment] = deque()

    def prepare(self, experiment: ExperimentId, context: Context) -> None:
        """Nothing to prepare."""

    def submit(self, *assignments: Assignment) -> None:
        """Take attempts."""
        self._waiting.extend(assignments)

    def order(self, token: AttemptToken, order: Order) -> None:
        """Nothing runs long enough to be ordered."""

    def events(self, timeout_s: float) -> list[EngineEvent]:
        """The end of all attempts."""
        done: list[EngineEvent] = []
        while self._waiting:
            assignment = self._waiting.popleft()
            value = self._evaluate(self._space.architecture(assignment.vector), None)
            done.append(
                Finished(
                    token=assignment.token,
                    outcome=Succeeded(metrics={"accuracy": value}),
                    worker="instant",
                    started_at=0.0,
                    duration_s=0.0,
                )
            )
        return done

    def acknowledge(self, tokens: Sequence[AttemptToken]) -> None:
        """Nothing is kept that could be forgotten now."""

    def close(self) -> None:
        """Nothing to close."""
