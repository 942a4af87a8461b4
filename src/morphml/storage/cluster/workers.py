"""What masters write of their workers, for people and for the other masters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from morphml.ids import SessionId
from morphml.optimizers.events import JSON
from morphml.scheduling.worker import WorkerState
from morphml.storage.database import Database, Row, Values, again
from morphml.storage.rows import WorkerTableRow
from morphml.storage.sessions import check_live, database_time
from morphml.storage.statements import worker_rows

#: Seconds that a worker's row stays after it was last heard of.
KEPT_S: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """A worker as its master saw it."""

    #: Chosen by the worker when it starts.
    id: str
    name: str
    state: WorkerState
    #: What it has, such as ``{"cpu": 8.0, "gpu": 1.0, "ssd": 1.0}``.
    offers: Mapping[str, float] = field(default_factory=dict)
    #: Slots, what runs, versions, loads: whatever its master shows of it.
    figures: Mapping[str, JSON] = field(default_factory=dict)
    #: Counts the lives of one id.
    incarnation: int = 0
    #: Seconds since the Unix epoch; that of the first row stays.
    joined_at: float
    #: Seconds since it was last heard, at the moment of writing or of reading.
    silent_s: float = 0.0
    #: Session of its master; set by the store.
    master: SessionId | None = None
    #: Whether that session lives; set by the store.
    live: bool = True
    #: Whether somebody has asked it to leave; set by the store.
    drains: bool = False


class Workers:
    """Writes and reads the rows of workers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, session: SessionId, rows: Iterable[WorkerRow]) -> None:
        """Write rows of the session's workers in one batch, new or over the old ones.

        A worker that another master has written meanwhile stays that one's, unless it is present
        here: joining, idle, busy or draining.

        Raises:
            StorageError: when the session has ended.
        """
        in_order = sorted(rows, key=lambda row: row.id)
        again(lambda: self._put(session, in_order))

    def all(self) -> list[WorkerRow]:
        """All workers of the last day by name."""
        with self._database.reading() as run:
            return [_worker(row) for row in run.rows(worker_rows.all_workers, {})]

    def elsewhere(self, session: SessionId) -> list[tuple[Mapping[str, float], Mapping[str, JSON]]]:
        """What the workers of all other live masters offer, and their figures; not who leaves."""
        with self._database.reading() as run:
            rows = run.rows(worker_rows.elsewhere, {"p_session": session})
        return [
            (orjson.loads(offers), {} if figures is None else orjson.loads(figures))
            for offers, figures in rows
        ]

    def drain(self, ids: Iterable[str], grace_s: float | None) -> None:
        """Leave word that workers are to leave, for whichever master has them now or later.

        It stays on their rows for as long as these are there. Unknown ids are ignored.

        Args:
            ids: of the workers.
            grace_s: seconds for what runs there; None for the worker's own.
        """
        asked = [{"p_id": id_, "p_grace_s": grace_s} for id_ in sorted(ids)]
        again(lambda: self._drain(asked))

    def to_drain(self, session: SessionId) -> dict[str, float | None]:
        """The session's workers that are to leave, gone ones too, and seconds for what runs."""
        with self._database.reading() as run:
            rows = run.rows(worker_rows.asked_to_drain, {"p_session": session})
        return dict(rows)

    def _drain(self, asked: Sequence[Values]) -> None:
        with self._database.writing() as run:
            run.tell(worker_rows.ask_to_drain, asked)

    def _put(self, session: SessionId, rows: Sequence[WorkerRow]) -> None:
        with self._database.writing() as run:
            check_live(run, session)
            now = database_time(run)
            if rows:
                run.add(worker_rows.put_worker, [table_row(row, session, now) for row in rows])
            run.tell(worker_rows.drop_silent_workers, ({"p_kept_s": KEPT_S},))


def table_row(row: WorkerRow, session: SessionId, now: float) -> WorkerTableRow:
    """The row as the table has it; ``now`` by the database's clock."""
    return WorkerTableRow(
        id=row.id,
        incarnation=row.incarnation,
        session=session,
        name=row.name,
        state=row.state.value,
        offers=orjson.dumps(dict(row.offers), option=orjson.OPT_SORT_KEYS).decode(),
        figures=orjson.dumps(dict(row.figures)).decode(),
        joined_at=row.joined_at,
        seen_at=now - row.silent_s,
    )


def _worker(row: Row) -> WorkerRow:
    id_, incarnation, session, name, state, offers, figures, joined_at, silent_s, *asked = row
    live, drain_asked_at = asked
    return WorkerRow(
        id=id_,
        name=name,
        state=WorkerState(state),
        offers=orjson.loads(offers),
        figures={} if figures is None else orjson.loads(figures),
        incarnation=incarnation,
        joined_at=joined_at,
        silent_s=silent_s,
        master=None if session is None else SessionId(session),
        live=bool(live),
        drains=drain_asked_at is not None,
    )
