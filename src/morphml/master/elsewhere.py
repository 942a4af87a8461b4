"""What other masters do for an experiment that is driven here.

A driver's own attempts come and go through its engine. What other masters claimed, adopted or lost
shows only in the store: once a second the task rows are compared with the attempts in the air.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from morphml.ids import AttemptToken, SessionId
from morphml.master.flights import Flight, Flights
from morphml.search.changes import TaskRecord


class Elsewhere(Protocol):
    """The other masters, as the driver of one experiment sees them."""

    def slots(self) -> int:
        """Slots of other masters that this experiment may count on now."""
        ...

    def busy(self) -> int:
        """Attempts that wait or run here, those included that came from another master.

        A worker that changes its master brings its slots and what runs on them at once; whose that
        is, ``look`` tells later.
        """
        ...

    def look(
        self, known: Collection[AttemptToken], *, at_once: bool = False
    ) -> Sequence[TaskRecord] | None:
        """Unfinished tasks as the store has them; None while it is not time to look again.

        Args:
            known: attempts in the air, as they are remembered. As long as the store has all of
                them, tasks that wait may be left out.
            at_once: look even when it is not time.
        """
        ...

    def offered(self) -> None:
        """Tasks were stored that any master may claim."""
        ...


class Alone:
    """There is no other master."""

    def slots(self) -> int:
        """None."""
        return 0

    def busy(self) -> int:
        """None came from elsewhere."""
        return 0

    def look(self, known: Collection[AttemptToken], *, at_once: bool = False) -> None:
        """Nothing happens that the driver does not know."""

    def offered(self) -> None:
        """Nobody is there to be told."""


def reconcile(flights: Flights, rows: Iterable[TaskRecord], mine: SessionId, now: float) -> None:
    """Bring the attempts in the air into line with the store's task rows.

    Args:
        flights: changed in place. Whatever is remembered under another token than the store's, the
            store would take nothing of it any more.
        rows: unfinished tasks of the experiment, read after the driver's last commit: all, or those
            under way where every attempt in the air is among them.
        mine: the session of this master.
        now: seconds since the Unix epoch, for tasks that may be claimed at once.
    """
    for row in rows:
        flight = flights.of_trial(row.number)
        if row.token is None:
            if flight is not None:
                flights.land(flight.token)
            if row.id not in flights.waiting:
                flights.waiting.add(row.id, row.due_at or now)
            continue
        flights.waiting.drop(row.id)
        if flight is not None and flight.token != row.token:
            flights.land(flight.token)
            flight = None
        if flight is None:
            flights.remember_lost(row.id, row.attempts)
            made = Flight(row.token, row.id, row.number, row.segment, row.to_epoch)
            flights.add(made, here=row.holder == mine)
        elif row.holder is not None:  # else its end waits as mail
            flights.move(flight.token, here=row.holder == mine)
