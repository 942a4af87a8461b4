"""The cluster: experiments that any master may drive, tasks that any master may run."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

import orjson

from morphml.errors import ExperimentError
from morphml.ids import ExperimentId, SessionId
from morphml.optimizers.events import JSON
from morphml.scheduling.policies.contract import DEFAULT_PRIORITY, PRIORITIES
from morphml.search.changes import ClaimedTask, TaskRecord
from morphml.storage import claims, reading
from morphml.storage.classes import Could
from morphml.storage.cluster.mail import MailBox
from morphml.storage.cluster.masters import MasterRow, masters
from morphml.storage.cluster.orders import Orders
from morphml.storage.cluster.rest_workers import RestWorkers
from morphml.storage.cluster.workers import Workers
from morphml.storage.database import Database, Values
from morphml.storage.driving import unknown_experiment
from morphml.storage.sessions import Sessions, check_live, database_time
from morphml.storage.statements import (
    experiment_rows,
    knowledge_rows,
    session_rows,
    store_rows,
)
from morphml.storage.states import Topic

_IDENTITY = "identity"


class Cluster:
    """What masters on one store do for each other; may be used from several threads.

    Attributes:
        mail: what masters tell drivers about attempts that they hold.
        orders: what drivers want of attempts that other masters hold.
        workers: the rows of all masters' workers.
        rest_workers: those that speak REST and have a session of their own.
    """

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions
        self.mail = MailBox(database)
        self.orders = Orders(database)
        self.workers = Workers(database)
        self.rest_workers = RestWorkers(database)

    def submit(self, experiment: ExperimentId, priority: int = DEFAULT_PRIORITY) -> None:
        """Leave an experiment to the masters: whichever has room drives it.

        Args:
            experiment: created, paused or failed; a queued one gets the new priority.
            priority: 1 to 10; higher goes first.

        Raises:
            ExperimentError: when there is none of that id, it runs or is completed, or the
                priority is not from 1 to 10.
        """
        low, high = PRIORITIES
        if not low <= priority <= high:
            raise ExperimentError(f"priority: from {low} to {high}, got {priority}")
        with self._database.writing() as run:
            values: Values = {"p_id": experiment, "p_priority": priority}
            if run.run(experiment_rows.queue, values):
                return
            row = run.row(experiment_rows.driver_of, {"p_id": experiment})
        if row is None:
            raise unknown_experiment(experiment)
        raise ExperimentError(
            f"experiment {experiment}: is {row[0]} and cannot be submitted; pause it, or raise the "
            "budget of a completed one, and submit it then"
        )

    def drivable(self) -> list[ExperimentId]:
        """Experiments to be driven: queued, or running under a session that has ended.

        Those of higher priority come first, then the older ones. A driver that is late counts as
        long as nobody has reaped its session.
        """
        with self._database.reading() as run:
            return [ExperimentId(row[0]) for row in run.rows(experiment_rows.drivable, {})]

    def masters(self) -> list[MasterRow]:
        """Masters whose session has not ended, oldest first."""
        return masters(self._database)

    def announce(self, session: SessionId, address: str) -> None:
        """Say where the master of ``session`` is reached.

        Raises:
            StorageError: when the session has ended.
        """
        with self._database.writing() as run:
            check_live(run, session)
            run.run(session_rows.announce, {"p_id": session, "p_address": address})

    def report(self, session: SessionId, report: Mapping[str, JSON]) -> None:
        """Tell the other masters something of the master of ``session``, instead of what it told.

        Raises:
            StorageError: when the session has ended.
        """
        told = orjson.dumps(dict(report)).decode()
        with self._database.writing() as run:
            check_live(run, session)
            run.run(session_rows.report, {"p_id": session, "p_report": told})

    def claim_any(
        self,
        session: SessionId,
        limit: int,
        could: Could | None = None,
        at_most: Mapping[ExperimentId, int] | None = None,
    ) -> Sequence[ClaimedTask]:
        """Lease up to ``limit`` ready tasks by rank, of whatever experiments run.

        An experiment that was asked to stop is left alone.

        Args:
            session: who holds the tasks from now on.
            limit: how many at most.
            could: only tasks whose needs it is true of; None takes any.
            at_most: how many of an experiment's; those that are not named have no such limit.

        Raises:
            StorageError: when the session has ended.
        """
        return claims.claim_any(self._database, session, limit, could, at_most or {})

    def claim_jobs(
        self, session: SessionId, limit: int, could: Could | None = None
    ) -> Sequence[ClaimedTask]:
        """Lease up to ``limit`` ready jobs by rank, of whatever executions go on.

        None while their queue is paused, and at most as many as its rate allows.

        Args:
            session: who holds the jobs from now on.
            limit: how many at most.
            could: only jobs whose needs it is true of; None takes any.

        Raises:
            StorageError: when the session has ended.
        """
        return claims.claim_jobs(self._database, session, limit, could)

    def tasks(self, experiment: ExperimentId, *, under_way: bool = False) -> list[TaskRecord]:
        """All tasks that wait, are held or have ended, by number; not those that are paused.

        Args:
            experiment: their owner.
            under_way: without those that wait, which may be very many.
        """
        return reading.tasks(self._database, experiment, under_way=under_way)

    def hand_over(self, session: SessionId, grace_s: float = 5.0) -> None:
        """End a session in order while its attempts run on at their workers.

        Its tasks are pending under their lost tokens: any master may adopt them, and after
        ``grace_s`` seconds whoever comes first may claim them anew.
        """
        self._sessions.hand_over(session, grace_s)

    def identity(self) -> str:
        """A text that changes when the store under the same address is another one."""
        with self._database.reading() as run:
            made = run.row(knowledge_rows.knowledge_of, _identity())
            life = run.row(store_rows.life, {})
        assert life is not None, "a SELECT without a table returns a row"
        if made is None:
            made = (self._make_identity(),)
        return f"{made[0]}/{life[0]}"

    def _make_identity(self) -> str:
        with self._database.writing() as run:
            now = database_time(run)
            values: Values = {**_identity(), "p_value": secrets.token_hex(8), "p_now": now}
            run.run(knowledge_rows.add_knowledge, values)
            made = run.row(knowledge_rows.knowledge_of, _identity())
        assert made is not None, "it was written a statement ago"
        return str(made[0])


def _identity() -> Values:
    return {"p_topic": Topic.STORE.value, "p_key": _IDENTITY}
