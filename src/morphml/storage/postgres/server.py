"""A PostgreSQL database as a store's database."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.exc import DBAPIError

from morphml.clock import SystemClock
from morphml.errors import StorageError
from morphml.storage.address import without_password
from morphml.storage.hints import Hints
from morphml.storage.migrate import NEWEST
from morphml.storage.options import StoreOptions
from morphml.storage.postgres.connection import Connection, Opener, Texts
from morphml.storage.postgres.faults import fault, unreachable
from morphml.storage.postgres.hints import PostgresHints
from morphml.storage.postgres.identity import identify, version_of
from morphml.storage.postgres.pool import READ, WRITE, Pool, Turn
from morphml.storage.postgres.schema import migrate
from morphml.storage.sqlite.identity import Identity

#: The first version whose behaviour the tests have seen (Debian 12).
_OLDEST: Final = 150_000


class PostgresDatabase:
    """An open database: a pool for transactions, and a connection for session renewals."""

    def __init__(self, url: str, options: StoreOptions, *, create: bool) -> None:
        """Connect, check whose database it is, and lay or migrate its tables.

        Args:
            url: ``postgresql://user:password@host:port/database``, as libpq reads it.
            options: time-outs, connections, durability.
            create: whether to lay tables into an empty database.

        Raises:
            StoreMismatch: when the database is another program's, or of a newer version.
            StoreUnavailable: when the server cannot be reached.
            StorageError: when the URL, the user, or the database's name is wrong.
        """
        self.where = without_password(url)
        _refuse_unreadable(url)
        opener, texts = Opener(url, options), Texts()
        self._prepare(opener, create=create)
        self.hints: Hints = PostgresHints(opener, SystemClock(), self.where)
        self._pool = Pool(
            opener,
            texts,
            most=options.connections,
            wait_s=options.busy_timeout_s,
            where=self.where,
        )
        self._beats = Pool(
            Opener(url, _hurried(options)),
            texts,
            most=1,
            wait_s=options.session_lease_s / 2,
            where=self.where,
        )

    def writing(self) -> Turn:
        """See ``Database``."""
        return self._pool.turn(WRITE)

    def beating(self) -> Turn:
        """See ``Database``."""
        return self._beats.turn(WRITE)

    def reading(self) -> Turn:
        """See ``Database``."""
        return self._pool.turn(READ)

    def claim(self) -> bool:
        """See ``Database``: here any number of processes may claim, so nobody is known dead."""
        return False

    def release(self) -> None:
        """See ``Database``."""

    def close(self) -> None:
        """See ``Database``."""
        self.hints.close()
        self._pool.close()
        self._beats.close()

    def _prepare(self, opener: Opener, *, create: bool) -> None:
        try:
            connection = opener.connect()
        except psycopg.Error as error:
            raise unreachable(error, self.where) from error
        try:
            self._lay(connection, create=create)
        except psycopg.Error as error:
            raise fault(error, self.where) from error
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.Error):
                raise fault(error.orig, self.where) from error
            raise
        finally:
            connection.close()

    def _lay(self, connection: Connection, *, create: bool) -> None:
        if connection.info.server_version < _OLDEST:
            raise StorageError(
                f"{self.where}: PostgreSQL 15 or newer is needed, the server is "
                f"{connection.info.server_version // 10_000}; upgrade it"
            )
        identity = identify(connection, self.where, NEWEST)
        if identity is Identity.EMPTY and not create:
            raise StorageError(
                f"{self.where}: there is no store in this database; check the URL given as storage"
            )
        if identity is not Identity.CURRENT:
            migrate(connection, self.where)


def _hurried(options: StoreOptions) -> StoreOptions:
    """Options for session renewals: an answer after half of the lease is of no use."""
    most = options.session_lease_s / 2
    return replace(
        options,
        busy_timeout_s=min(options.busy_timeout_s, most),
        statement_timeout_s=min(options.statement_timeout_s, most),
        connect_timeout_s=min(options.connect_timeout_s, most),
    )


def stored_version(url: str) -> int | None:
    """The schema version of the store in a database; None when it is empty.

    Raises:
        StoreMismatch: when the database is another program's.
        StorageError: when it cannot be looked at.
    """
    where = without_password(url)
    _refuse_unreadable(url)
    try:
        with Opener(url, StoreOptions()).connect() as connection:
            return version_of(connection, where)
    except psycopg.Error as error:
        raise fault(error, where) from error


def _refuse_unreadable(url: str) -> None:
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # libpq's words would repeat the URL, password included.
        raise StorageError(
            f"{without_password(url)}: this URL cannot be read; its form is "
            "postgresql://user:password@host:port/database, with special characters as %40"
        ) from None
