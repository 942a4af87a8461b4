"""Attempts that this master lost sight of: whether they are its own still, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from morphml.engines.port import EngineEvent, Failed, Finished, Returned
from morphml.engines.remote.messages import AttemptName
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


def give_back(store: SqlStore, session: SessionId, returned: Sequence[AttemptName]) -> None:
    """Let anybody claim tasks that never began, but for those that another master has adopted.

    Args:
        store: has the tasks.
        session: of this master, which held them.
        returned: their attempts; may be none.

    Raises:
        StorageError: when the store is away.
    """
    held = store.leases.held(session) if returned else {}
    back: dict[ExperimentId, list[tuple[int, AttemptToken]]] = {}
    for name in returned:
        if (name.number, name.token) in held.get(name.owner, ()):
            back.setdefault(name.owner, []).append((name.number, name.token))
    for owner, tasks in back.items():
        store.leases.give_back(owner, tasks)


def adopt_refused(
    store: SqlStore, session: SessionId, refused: Sequence[AttemptName]
) -> frozenset[AttemptToken]:
    """Of attempts whose end the store refused, those that this master holds now after all.

    The end of the others is stored already, or their task has gone on without them.

    Args:
        store: has the tasks.
        session: of this master.
        refused: the attempts; may be none.

    Raises:
        StorageError: when the store is away.
    """
    if not refused:
        return frozenset()
    stored = frozenset(store.leases.ended(refused))
    open_ = [name for name in refused if name.token not in stored]
    return frozenset(store.leases.adopt_all(session, open_))
