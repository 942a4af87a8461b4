"""Sessions: the life of a master in the store, and what happens to its tasks when it ends."""

from __future__ import annotations

from morphml.errors import StorageError
from morphml.ids import SessionId, new_session_id
from morphml.storage.database import Database, Transaction, Values
from morphml.storage.statements import session_rows, task_rows
from morphml.storage.states import SessionKind


def open_session(database: Database, name: str, lease_s: float) -> SessionId:
    """See ``Store.open_session``."""
    session = new_session_id()
    predecessors_are_dead = database.claim()
    with database.writing() as run:
        if predecessors_are_dead:
            _bury_all(run)
        values: Values = {
            "p_id": session,
            "p_kind": SessionKind.MASTER,
            "p_name": name,
            "p_lease_s": lease_s,
        }
        run.run(session_rows.add_session, values)
    return session


def renew_session(database: Database, session: SessionId, lease_s: float) -> bool:
    """See ``Store.renew_session``."""
    with database.beating() as run:
        return run.run(session_rows.renew, {"p_id": session, "p_lease_s": lease_s}) == 1


def close_session(database: Database, session: SessionId) -> None:
    """See ``Store.close_session``."""
    with database.writing() as run:
        if run.run(session_rows.close, {"p_id": session}):
            run.run(task_rows.give_all_back, {"p_session": session})


def check_live(run: Transaction, session: SessionId) -> None:
    """Let a live session pass.

    Raises:
        StorageError: when it has ended, by itself or by others.
    """
    if run.row(session_rows.is_live, {"p_id": session}) is None:
        raise StorageError(
            f"session {session}: has ended, or its lease ran out and others ended it; drop what "
            "it held and open a new session"
        )


def reap_late(run: Transaction) -> list[SessionId]:
    """End every session whose lease has run out, and put its tasks back.

    Returns:
        The sessions that were ended.
    """
    late = [row[0] for row in run.rows(session_rows.live_sessions, {}) if row[1]]
    return [session for session in late if expire(run, session)]


def expire(run: Transaction, session: SessionId) -> bool:
    """End one session if its lease has run out; True when this call did it."""
    if not run.run(session_rows.expire, {"p_id": session}):
        return False
    run.run(task_rows.requeue, {"p_session": session})
    return True


def _bury_all(run: Transaction) -> None:
    """One process may claim, and it is this one: whoever else has a live session is dead."""
    for session, _ in run.rows(session_rows.live_sessions, {}):
        run.run(session_rows.bury, {"p_id": session})
        run.run(task_rows.requeue, {"p_session": session})
