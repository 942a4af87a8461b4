"""The engine of one driven experiment: workers of this master, and what other masters run of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from morphml.engines.port import Assignment, Context, EngineEvent, Order
from morphml.engines.remote.hub import Lane
from morphml.ids import AttemptToken, ExperimentId


class ClusterEngine:
    """A lane of the hub that passes orders for attempts elsewhere on.

    Args:
        lane: of the experiment; mail from other masters is pushed into it.
        here: attempts of the experiment that this master's workers have.
        order_elsewhere: leaves an order in the store for whoever holds the attempt.
    """

    def __init__(
        self,
        lane: Lane,
        here: Callable[[], Collection[AttemptToken]],
        order_elsewhere: Callable[[AttemptToken, Order], None],
    ) -> None:
        self._lane = lane
        self._here = here
        self._order_elsewhere = order_elsewhere

    @property
    def slots(self) -> int:
        """Slots of this master's workers that the experiment may use now."""
        return self._lane.slots

    def prepare(self, experiment: ExperimentId, context: Context) -> None:
        """Let the hub learn what workers must be told, from what the store has.

        Raises:
            EvaluatorError: when the evaluator cannot travel.
        """
        self._lane.prepare(experiment, context)

    def submit(self, assignment: Assignment) -> None:
        """Hand an attempt to a worker of this master. Never waits."""
        self._lane.submit(assignment)

    def order(self, token: AttemptToken, order: Order) -> None:
        """Pass an order on, to a worker or to another master. Never waits for the worker."""
        if token in self._here():
            self._lane.order(token, order)
        else:
            self._order_elsewhere(token, order)

    def acknowledge(self, tokens: Sequence[AttemptToken]) -> None:
        """The ends of these attempts are stored."""
        self._lane.acknowledge(tokens)

    def events(self, timeout_s: float) -> list[EngineEvent]:
        """What happened here and elsewhere, in order; waits up to ``timeout_s`` seconds."""
        return self._lane.events(timeout_s)

    def close(self) -> None:
        """Let go of the experiment; its attempts run on."""
        self._lane.close()
