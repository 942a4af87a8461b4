"""Which masters there are, and what they drive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from morphml.ids import ExperimentId, SessionId
from morphml.optimizers.events import JSON
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
    #: What it tells the others of itself, in words of the masters' own; empty before it has.
    report: Mapping[str, JSON] = field(default_factory=dict)


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
            report=orjson.loads(report),
        )
        for session, name, address, started_at, left, report in rows
    ]
