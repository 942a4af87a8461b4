"""Ends what runs when the time budget is spent."""

from __future__ import annotations

from morphml.engines.port import Engine, Order
from morphml.ids import AttemptToken
from morphml.master.flights import Flights


class TimeBudget:
    """Orders attempts to stop, and cancels those that do not.

    An evaluator hears of the order when it reports or asks ``should_stop``; one that does neither
    would hold the search up for as long as it likes.

    Args:
        flights: attempts in the air.
        engine: passes the orders on. Attempts of the in-process engine cannot be cancelled.
        grace_s: seconds between the order to stop and the cancellation.
    """

    def __init__(self, flights: Flights, engine: Engine, grace_s: float) -> None:
        self._flights = flights
        self._engine = engine
        self._grace_s = grace_s
        self._spent_at: float | None = None
        #: The last order of each attempt, and whether it was here then.
        self._ordered: dict[AttemptToken, tuple[Order, bool]] = {}

    def enforce(self, now: float) -> None:
        """Give each attempt its order, once at each master that runs it.

        Called again and again from when time is spent.

        Args:
            now: monotonic seconds.
        """
        if self._spent_at is None:
            self._spent_at = now
        order = Order.STOP if now < self._spent_at + self._grace_s else Order.CANCEL
        for token in self._flights.tokens():
            given = (order, self._flights.is_here(token))
            if self._ordered.get(token) != given:
                self._ordered[token] = given
                self._engine.order(token, order)
