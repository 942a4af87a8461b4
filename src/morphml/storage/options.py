"""What a caller may set of a store."""

from __future__ import annotations

from dataclasses import dataclass

from morphml.errors import StorageError
from morphml.scheduling.policies import DEFAULT_POLICY
from morphml.settings import Durability

_TIMES = ("busy_timeout_s", "statement_timeout_s", "session_lease_s", "connect_timeout_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """Settings of one open store."""

    #: What an acknowledged transaction survives.
    durability: Durability = Durability.NORMAL
    #: Seconds to wait for another process's transaction before ``StoreUnavailable``.
    busy_timeout_s: float = 10.0
    #: Seconds after which one statement is broken off with ``StoreUnavailable``.
    statement_timeout_s: float = 30.0
    #: Seconds that a session lives without renewal, by the database's clock.
    session_lease_s: float = 8.0
    #: Seconds to wait for a database server to answer at all; at least 2 (PostgreSQL).
    connect_timeout_s: float = 5.0
    #: Most connections of this store to a database server, beside one for session renewals and one
    #: for hints; they are made when threads need them (PostgreSQL).
    connections: int = 8
    #: Upper bound of the database's page cache, in bytes, per connection; more was no faster with
    #: 100,000 trials, since the operating system caches the file too.
    cache_bytes: int = 4 * 2**20
    #: Policy that ranks the jobs of executions which this store releases.
    policy: str = DEFAULT_POLICY

    def __post_init__(self) -> None:
        """Refuse times and sizes that no store can keep."""
        for name in _TIMES:
            if not getattr(self, name) > 0:
                raise StorageError(f"{name}: more than 0 s, got {getattr(self, name)}")
        if self.connections < 1:
            raise StorageError(f"connections: at least 1, got {self.connections}")
        if self.cache_bytes < 2**16:
            raise StorageError(f"cache_bytes: at least 65536, got {self.cache_bytes}")


__all__ = ["Durability", "StoreOptions"]
