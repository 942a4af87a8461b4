"""Locks, as people and programs ask for them."""

from __future__ import annotations

from morphml.master.workflows.views import LockView
from morphml.storage import SqlStore

#: Seconds for which a lock is held where nothing else is said.
TTL_S = 30.0


class Locks:
    """Locks with an owner and a time to live, by the database's clock.

    Args:
        store: where they are.
    """

    def __init__(self, store: SqlStore) -> None:
        self._locks = store.workflows.locks

    def acquire(self, name: str, owner: str, ttl_s: float = TTL_S) -> LockView | None:
        """Hold a lock that nobody holds, or that is held by ``owner`` already; None otherwise.

        Raises:
            WorkflowError: when the time to live is not above 0.
        """
        return _view(name, owner, self._locks.acquire(name, owner, ttl_s))

    def release(self, name: str, owner: str) -> bool:
        """Let go of it; False when ``owner`` does not hold it."""
        return self._locks.release(name, owner)

    def extend(self, name: str, owner: str, ttl_s: float = TTL_S) -> LockView | None:
        """Hold it for ``ttl_s`` seconds from now; None when ``owner`` does not hold it any more.

        Raises:
            WorkflowError: when the time to live is not above 0.
        """
        return _view(name, owner, self._locks.extend(name, owner, ttl_s))

    def get(self, name: str) -> LockView | None:
        """Who holds it; None for nobody."""
        found = self._locks.get(name)
        return None if found is None else LockView(name=name, owner=found[0], expires_at=found[1])


def _view(name: str, owner: str, until: float | None) -> LockView | None:
    return None if until is None else LockView(name=name, owner=owner, expires_at=until)
