"""Sessions: the life of a master in the store, and what happens to its tasks when it ends."""

from __future__ import annotations

import threading

from morphml.errors import StorageError
from morphml.ids import SessionId, new_session_id
from morphml.storage.database import Database, Transaction, Values, again
from morphml.storage.statements import session_rows, store_rows, task_rows
from morphml.storage.states import SessionKind


class Sessions:
    """The sessions that were opened through one open store."""

    def __init__(self, database: Database, lease_s: float) -> None:
        self._database = database
        self._lease_s = lease_s
        self._open: set[SessionId] = set()
        self._lock = threading.Lock()

    def open(self, name: str) -> SessionId:
        """See ``Store.open_session``."""
        session = new_session_id()
        with self._lock:
            try:
                self._begin(session, name)
            except BaseException:
                self._release_if_unused()
                raise
            self._open.add(session)
        return session

    def renew(self, session: SessionId) -> bool:
        """See ``Store.renew_session``."""
        with self._database.beating() as run:
            values: Values = {"p_id": session, "p_lease_s": self._lease_s}
            return run.run(session_rows.renew, values) == 1

    def close(self, session: SessionId) -> None:
        """See ``Store.close_session``."""
        with self._lock:
            again(lambda: self._end(session, None))
            self._open.discard(session)
            self._release_if_unused()

    def hand_over(self, session: SessionId, grace_s: float) -> None:
        """See ``Cluster.hand_over``."""
        with self._lock:
            again(lambda: self._end(session, grace_s))
            self._open.discard(session)
            self._release_if_unused()

    def _end(self, session: SessionId, grace_s: float | None) -> None:
        with self._database.writing() as run:
            if not run.run(session_rows.close, {"p_id": session}):
                return
            run.run(session_rows.fence_driven, {"p_session": session})
            if grace_s is None:
                run.run(task_rows.give_all_back, {"p_session": session})
            else:
                run.run(task_rows.hand_over, {"p_session": session, "p_grace_s": grace_s})

    def _begin(self, session: SessionId, name: str) -> None:
        predecessors_are_dead = self._database.claim()
        with self._database.writing() as run:
            if predecessors_are_dead:
                _bury_all(run)
            values: Values = {
                "p_id": session,
                "p_kind": SessionKind.MASTER,
                "p_name": name,
                "p_lease_s": self._lease_s,
            }
            run.run(session_rows.add_session, values)

    def _release_if_unused(self) -> None:
        if not self._open:
            self._database.release()


def check_live(run: Transaction, session: SessionId) -> None:
    """Let a live session pass, which then lives at least as long as the transaction.

    Rows are locked in one order everywhere: sessions, experiments, tasks.

    Raises:
        StorageError: when it has ended, by itself or by others.
    """
    if run.row(session_rows.is_live, {"p_id": session}) is None:
        raise StorageError(
            f"session {session}: has ended, or its lease ran out and others ended it; drop what "
            "it held and open a new session"
        )


def database_time(run: Transaction) -> float:
    """The database's time, in seconds since the Unix epoch."""
    row = run.row(store_rows.now, {})
    assert row is not None, "a SELECT without a table returns a row"
    return float(row[0])


def expire(run: Transaction, session: SessionId) -> bool:
    """End one session if its lease has run out; True when this call did it."""
    if not run.run(session_rows.expire, {"p_id": session}):
        return False
    run.run(session_rows.fence_driven, {"p_session": session})
    run.run(task_rows.requeue, {"p_session": session})
    return True


def end(run: Transaction, session: SessionId) -> None:
    """End a session whose process is known to be gone; its tasks go back."""
    run.run(session_rows.bury, {"p_id": session})
    run.run(session_rows.fence_driven, {"p_session": session})
    run.run(task_rows.requeue, {"p_session": session})


def _bury_all(run: Transaction) -> None:
    """One process may be a master, and it is this one: the other masters are dead."""
    for master in run.rows(session_rows.live_masters, {}):
        end(run, SessionId(master[0]))
