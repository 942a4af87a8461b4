"""The engine of one driven experiment: workers of this master, and what other masters run of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from morphml.engines.port import Assignment, Context, EngineEvent, Finished, Order
from morphml.engines.remote.hub import Lane
from morphml.ids import AttemptToken, ExperimentId
from morphml.master.cluster.held import is_without_worker


class ClusterEngine:
    """A lane of the hub that passes orders for attempts elsewhere on.

    Args:
        lane: of the experiment; mail from other masters is pushed into it.
        here: attempts of the experiment that this master's workers have, or had.
        held: those that this master holds, by the store.
        order_elsewhere: leaves an order in the store for whoever holds the attempt.
    """

    def __init__(
        self,
        lane: Lane,
        here: Callable[[], Collection[AttemptToken]],
        held: Callable[[], Collection[AttemptToken]],
        order_elsewhere: Callable[[AttemptToken, Order], None],
    ) -> None:
        self._lane = lane
        self._here = here
        self._held = held
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

    @property
    def ahead(self) -> int:
        """Tasks that this master's workers take beyond their slots."""
        return self._lane.ahead

    def submit(self, *assignments: Assignment) -> None:
        """Hand attempts to workers of this master. Never waits."""
        self._lane.submit(*assignments)

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
        """What happened here and elsewhere, in order; waits up to ``timeout_s`` seconds.

        Raises:
            StoreUnavailable: when it cannot be told whose an attempt is; it is told again later.
        """
        events = self._lane.events(timeout_s)
        moved = self._moved([event for event in events if is_without_worker(event)])
        if not moved:
            return events
        self._lane.acknowledge(sorted(moved))
        return [each for each in events if not (is_without_worker(each) and each.token in moved)]

    def _moved(self, ends: Sequence[Finished]) -> frozenset[AttemptToken]:
        """Of the attempts that ended here for want of their worker, those that others hold now."""
        if not ends:
            return frozenset()
        here = self._here()
        doubtful = frozenset(end.token for end in ends if end.token in here)
        return doubtful.difference(self._held()) if doubtful else doubtful

    def close(self) -> None:
        """Let go of the experiment; its attempts run on."""
        self._lane.close()
