"""Orders: what a driver wants of attempts that other masters hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from morphml.evaluation.orders import Order
from morphml.ids import AttemptToken, ExperimentId, SessionId
from morphml.storage.database import Database, Row, Values, again
from morphml.storage.statements import order_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOrder:
    """What an attempt is to do."""

    experiment: ExperimentId
    number: int
    token: AttemptToken
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOrder:
    """An order as the master that holds the attempt finds it."""

    id: int
    order: AttemptOrder


class Orders:
    """Sends and reads orders; may be used from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def send(self, orders: Iterable[AttemptOrder]) -> None:
        """Leave orders for whichever master holds the attempts, now or after an adoption.

        An order about an attempt that has ended is nobody's, and leaves with the next that is sent.
        """
        values = [_values(one) for one in orders]
        if values:
            again(lambda: self._send(values))

    def waiting(self, session: SessionId) -> list[StoredOrder]:
        """Orders about attempts that ``session`` holds, oldest first; about 15 us for none."""
        with self._database.reading() as run:
            rows = run.rows(order_rows.orders_for, {"p_session": session})
        return [_stored(row) for row in rows]

    def done(self, ids: Sequence[int]) -> None:
        """Drop orders that were passed on to their workers."""
        if ids:
            again(lambda: self._drop(ids))

    def _send(self, orders: Sequence[Values]) -> None:
        with self._database.writing() as run:
            run.tell(order_rows.drop_orders_without_attempt, ({},))
            run.tell(order_rows.add_order, orders)

    def _drop(self, ids: Sequence[int]) -> None:
        with self._database.writing() as run:
            run.tell(order_rows.drop_order, [{"p_id": id_} for id_ in sorted(ids)])


def _values(one: AttemptOrder) -> Values:
    return {
        "p_owner": one.experiment,
        "p_number": one.number,
        "p_token": one.token,
        "p_order": one.order.value,
    }


def _stored(row: Row) -> StoredOrder:
    id_, experiment, number, token, order = row
    return StoredOrder(
        id=id_,
        order=AttemptOrder(
            experiment=ExperimentId(experiment),
            number=number,
            token=AttemptToken(token),
            order=Order(order),
        ),
    )
