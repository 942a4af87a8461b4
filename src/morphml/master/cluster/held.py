"""Whether an attempt that this master lost sight of is another master's by now."""

from __future__ import annotations

from typing import TypeGuard

from morphml.engines.port import EngineEvent, Failed, Finished, Returned
from morphml.ids import AttemptToken, ExperimentId, SessionId
from morphml.scheduling.failures import FailureKind
from morphml.storage import SqlStore


def is_without_worker(event: EngineEvent) -> TypeGuard[Finished]:
    """Whether the hub itself ended the attempt: its worker is not here, or did not take it.

    That worker may be with another master, which has adopted the attempt and waits for its end.
    """
    if not isinstance(event, Finished):
        return False
    match event.outcome:
        case Returned():
            return True
        case Failed(kind=FailureKind.LOST_WORKER):
            return True
        case _:
            return False


def held_by(
    store: SqlStore, experiment: ExperimentId, session: SessionId
) -> frozenset[AttemptToken]:
    """The attempts of an experiment that a master holds, by the store.

    One query along the index of what sessions hold, however many tasks wait.
    """
    return frozenset(token for _, token in store.leases.held(session).get(experiment, ()))
