"""Locks with an owner and an end, by the database's clock."""

from __future__ import annotations

from morphml.errors import WorkflowError
from morphml.storage.database import Database, Values
from morphml.storage.statements import lock_rows


class Locking:
    """Locks that any process may ask for; may be used from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, name: str, owner: str, ttl_s: float) -> float | None:
        """Hold a lock that is free or one's own.

        Returns:
            Until when, in seconds since the Unix epoch; None when another owner holds it.

        Raises:
            WorkflowError: when the time to live is not above 0.
        """
        with self._database.writing() as run:
            row = run.row(lock_rows.take_lock, _values(name, owner, ttl_s))
        return None if row is None else float(row[0])

    def extend(self, name: str, owner: str, ttl_s: float) -> float | None:
        """Hold one's own lock for so long from now; None when it is not one's own any more.

        Raises:
            WorkflowError: when the time to live is not above 0.
        """
        with self._database.writing() as run:
            row = run.row(lock_rows.extend_lock, _values(name, owner, ttl_s))
        return None if row is None else float(row[0])

    def release(self, name: str, owner: str) -> bool:
        """Let go of one's own lock; False when it is not one's own any more."""
        with self._database.writing() as run:
            values: Values = {"p_name": name, "p_owner": owner}
            return run.run(lock_rows.release_lock, values) == 1

    def get(self, name: str) -> tuple[str, float] | None:
        """Who holds a lock, and until when; None for nobody."""
        with self._database.reading() as run:
            row = run.row(lock_rows.lock_of, {"p_name": name})
        return None if row is None else (row[0], row[1])


def _values(name: str, owner: str, ttl_s: float) -> Values:
    if not 0.0 < ttl_s < float("inf"):
        raise WorkflowError(f"lock {name!r}: a time to live above 0 s, got {ttl_s}")
    return {"p_name": name, "p_owner": owner, "p_ttl_s": ttl_s}
