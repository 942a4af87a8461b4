"""Which masters there are, and what they drive."""

from __future__ import annotations

from dataclasses import dataclass

from morphml.ids import ExperimentId, SessionId
from morphml.storage.database import Database
from morphml.storage.statements import experiment_rows, session_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterRow:
    """A master whose session has not ended."""

    session: SessionId
    name: str
    #: Where it is reached; empty where nobody does.
    address: str
    #: Seconds since the Unix epoch.
    started_at: float
    #: Seconds that its lease has left; below 0 when it is late and nobody has judged yet.
    lease_left_s: float
    #: What it drives, oldest first.
    experiments: tuple[ExperimentId, ...]


def masters(database: Database) -> list[MasterRow]:
    """See ``Cluster.masters``."""
    with database.reading() as run:
        rows = run.rows(session_rows.live_masters, {})
        driven = run.rows(experiment_rows.driven, {})
    return [
        MasterRow(
            session=SessionId(session),
            name=name,
            address=address,
            started_at=started_at,
            lease_left_s=left,
            experiments=tuple(ExperimentId(id_) for driver, id_ in driven if driver == session),
        )
        for session, name, address, started_at, left in rows
    ]
