"""Cancels single trials that another process asked for."""

from __future__ import annotations

from morphml.engines.port import Engine, Order
from morphml.ids import AttemptToken, ExperimentId, task_id
from morphml.master.flights import Flights
from morphml.search.machine import SearchMachine
from morphml.storage.requests import Request, Requests


class Cancelling:
    """Acts on requests to cancel a trial: first come against its completion.

    Args:
        requests: what other processes left in the store.
        experiment: whose trials.
        machine: knows which trials have not ended.
        flights: attempts in the air; those are ordered to end.
        engine: passes the order on.
    """

    def __init__(
        self,
        requests: Requests,
        experiment: ExperimentId,
        machine: SearchMachine,
        flights: Flights,
        engine: Engine,
    ) -> None:
        self._requests = requests
        self._experiment = experiment
        self._machine = machine
        self._flights = flights
        self._engine = engine
        #: Attempts that were ordered to end, and whether they were here then.
        self._ordered: set[tuple[AttemptToken, bool]] = set()

    def look(self) -> None:
        """Order running trials to end, and take waiting ones back; costs 15 us without requests."""
        waiting = self._requests.waiting(self._experiment)
        if not waiting:
            return
        self._requests.answered([request for request in waiting if self._is_settled(request)])
        for request in waiting:
            if self._has_not_ended(request.number):
                self._cancel(request.number)

    def cancel_what_waits(self) -> None:
        """Take back all trials that no attempt is under way of."""
        for number in sorted(self._machine.pending):
            if self._flights.of_trial(number) is None:
                self._cancel(number)

    def _is_settled(self, request: Request) -> bool:
        """Whether the store holds the trial's end, since nothing is answered before that."""
        asked = request.number < self._machine.next_number
        return asked and not self._has_not_ended(request.number)

    def _has_not_ended(self, number: int) -> bool:
        return number in self._machine.pending or number in self._machine.segments.paused

    def _cancel(self, number: int) -> None:
        flight = self._flights.of_trial(number)
        if flight is not None:
            # The next attempt, and the next master of this one, have not heard of the order.
            given = (flight.token, self._flights.is_here(flight.token))
            if given not in self._ordered:
                self._ordered.add(given)
                self._engine.order(flight.token, Order.CANCEL)
            return
        segment = self._machine.segments.stage(number).segment
        self._flights.waiting.drop(task_id(self._experiment, number, segment))
        self._machine.cancel(number)
