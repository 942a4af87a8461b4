"""Workers that speak REST: a session row of each, renewed by its heartbeat at any server.

A worker that registers again under its id is a new incarnation: the session of the one before is
ended, so that nothing it still says is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson

from morphml.errors import UnknownWorker, WorkerError
from morphml.ids import SessionId, new_session_id
from morphml.optimizers.events import JSON
from morphml.scheduling.worker import WorkerState
from morphml.storage.cluster.workers import WorkerRow, table_row
from morphml.storage.database import Database, Transaction, Values, again
from morphml.storage.sessions import database_time, end
from morphml.storage.statements import rest_worker_rows, session_rows, worker_rows
from morphml.storage.states import SessionKind

#: Figure that keeps how many seconds a session lasts without a heartbeat.
LEASE = "ttl_s"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestWorker:
    """A worker that lives, and the session that holds what it leases."""

    row: WorkerRow
    session: SessionId


class RestWorkers:
    """Registers workers and hears from them; may be used from several threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, worker: WorkerRow, ttl_s: float) -> RestWorker:
        """Begin the life of a worker; the one before under its id is ended.

        Args:
            worker: as it says; incarnation, session and times are the store's to set.
            ttl_s: seconds that it lives without a heartbeat.

        Raises:
            WorkerError: when a master has a worker of this id.
        """
        return again(lambda: self._register(worker, ttl_s))

    def find(self, id_: str, incarnation: int | None = None) -> RestWorker:
        """A worker that lives.

        Args:
            id_: of the worker.
            incarnation: which of its lives; None for the present one.

        Raises:
            UnknownWorker: when it is not there, or a later incarnation took its place.
        """
        with self._database.writing() as run:
            return _living(run, id_, incarnation)

    def living(self) -> dict[SessionId, tuple[Mapping[str, float], int]]:
        """What each worker that lives and stays offers, and its slots, by session; one query."""
        with self._database.reading() as run:
            rows = run.rows(rest_worker_rows.living_workers, {})
        return {
            SessionId(session): (orjson.loads(offers), int(orjson.loads(figures).get("slots", 0)))
            for session, offers, figures in rows
        }

    def late(self) -> list[SessionId]:
        """Sessions of those that were silent for too long; they are anybody's to reap."""
        with self._database.reading() as run:
            return [SessionId(row[0]) for row in run.rows(rest_worker_rows.late_workers, {})]

    def beat(
        self, id_: str, figures: Mapping[str, JSON], incarnation: int | None = None
    ) -> RestWorker:
        """A heartbeat: it lives for another time to live, with these figures over the old ones.

        Raises:
            UnknownWorker: when it is not there, or a later incarnation took its place.
        """

        def transaction() -> RestWorker:
            with self._database.writing() as run:
                known = _living(run, id_, incarnation)
                told = {**known.row.figures, **figures}
                renewed: Values = {"p_id": known.session, "p_lease_s": _lease_s(told)}
                if not run.run(rest_worker_rows.renew_worker, renewed):
                    raise _unknown(id_)
                state = WorkerState.DRAINING if known.row.drains else _state(told)
                values: Values = {
                    "p_id": id_,
                    "p_state": state.value,
                    "p_figures": orjson.dumps(told).decode(),
                }
                run.run(rest_worker_rows.beat_worker, values)
            row = replace(known.row, figures=told, state=state, silent_s=0.0)
            return replace(known, row=row)

        return again(transaction)

    def leave(self, id_: str) -> None:
        """The worker says good-bye; its tasks wait for others.

        Raises:
            UnknownWorker: when it is not there.
        """

        def transaction() -> None:
            with self._database.writing() as run:
                known = _living(run, id_, None)
                end(run, known.session)
                run.run(rest_worker_rows.worker_left, {"p_id": id_})

        again(transaction)

    def _register(self, worker: WorkerRow, ttl_s: float) -> RestWorker:
        session = new_session_id()
        with self._database.writing() as run:
            before = run.row(rest_worker_rows.worker_of, {"p_id": worker.id})
            if before is not None and before[-1] == SessionKind.MASTER:
                raise WorkerError(
                    f"worker {worker.id}: a master has a worker of this id; choose another"
                )
            if before is not None and before[-1] is not None:
                end(run, before[1])
            now = database_time(run)
            values: Values = {
                "p_id": session,
                "p_kind": SessionKind.WORKER,
                "p_name": worker.name,
                "p_lease_s": ttl_s,
            }
            run.run(session_rows.add_session, values)
            row = replace(
                worker,
                incarnation=1 if before is None else before[0] + 1,
                figures={**worker.figures, LEASE: ttl_s},
                joined_at=now,
                master=session,
            )
            run.add(worker_rows.put_worker, [table_row(row, session, now)])
        return RestWorker(row=row, session=session)


def _living(run: Transaction, id_: str, incarnation: int | None) -> RestWorker:
    found = run.row(rest_worker_rows.worker_of, {"p_id": id_})
    if found is None or found[-1] != SessionKind.WORKER:
        raise _unknown(id_)
    number, session, name, state, offers, figures, joined_at, silent_s, asked_at, _ = found
    if incarnation not in (None, number):
        raise UnknownWorker(
            f"worker {id_}: incarnation {incarnation} was ended, {number} took its place; register "
            "again to go on"
        )
    row = WorkerRow(
        id=id_,
        name=name,
        state=WorkerState(state),
        offers=orjson.loads(offers),
        figures=orjson.loads(figures),
        incarnation=number,
        joined_at=joined_at,
        silent_s=silent_s,
        master=SessionId(session),
        drains=asked_at is not None,
    )
    return RestWorker(row=row, session=SessionId(session))


def _unknown(id_: str) -> UnknownWorker:
    return UnknownWorker(
        f"worker {id_}: is not registered, or was silent for longer than its time to live; "
        "register it again"
    )


def _lease_s(figures: Mapping[str, JSON]) -> float:
    return float(str(figures[LEASE]))


def _state(figures: Mapping[str, JSON]) -> WorkerState:
    return WorkerState.BUSY if figures.get("running") else WorkerState.IDLE
