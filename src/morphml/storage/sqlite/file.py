"""A SQLite file in WAL mode as a store's database."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy.exc import DBAPIError

from morphml.clock import Clock
from morphml.errors import StorageError
from morphml.storage.hints import Hints, LocalHints
from morphml.storage.migrate import NEWEST, migrate
from morphml.storage.options import StoreOptions
from morphml.storage.sqlite.claim_lock import ClaimLock
from morphml.storage.sqlite.connection import Opener, Turn
from morphml.storage.sqlite.faults import fault
from morphml.storage.sqlite.filesystem import refuse_network_file_system
from morphml.storage.sqlite.identity import APPLICATION_ID, Identity, identify

#: Seconds that a migration waits for another process's: 0.2 s of one core, and of a busy one many.
_PATIENCE_S: Final = 120


class SqliteFile:
    """An open file: one connection to write, one to read, one for session renewals."""

    def __init__(self, path: Path, options: StoreOptions, clock: Clock, *, create: bool) -> None:
        """Open or make the file.

        Args:
            path: the file; its folder must exist.
            options: time-outs, cache and durability.
            clock: the database's clock.
            create: whether to make the file where there is none.

        Raises:
            StoreMismatch: when the file is not a store, or one of a newer version.
            StorageError: when it cannot be opened, or lies on a network file system.
        """
        self.hints: Hints = LocalHints()
        self._path = path
        self._claim = ClaimLock(path.with_name(path.name + ".lock"))
        if not create and not path.exists():
            raise StorageError(f"{path}: there is no such file; check the path given as storage")
        refuse_network_file_system(path)
        opener = Opener(_target(path), str(path), options, clock)
        with contextlib.ExitStack() as opened:
            try:
                self._prepare(opener)
                self._write = opened.enter_context(closing(opener.turn("BEGIN IMMEDIATE")))
                self._read = opened.enter_context(closing(opener.turn("BEGIN")))
                self._beat = opened.enter_context(closing(opener.turn("BEGIN IMMEDIATE")))
            except sqlite3.Error as error:
                raise fault(error, str(path)) from error
            except DBAPIError as error:  # a migration's
                if not isinstance(error.orig, sqlite3.Error):
                    raise
                raise fault(error.orig, str(path)) from error
            # All are open: none is to be closed at the end of this block.
            opened.pop_all()

    def writing(self) -> Turn:
        """See ``Database``."""
        return self._write

    def beating(self) -> Turn:
        """See ``Database``."""
        return self._beat

    def reading(self) -> Turn:
        """See ``Database``."""
        return self._read

    def claim(self) -> bool:
        """See ``Database``: a lock of the operating system on ``<file>.lock``."""
        if self._claim.held:
            return False
        try:
            self._claim.acquire()
        except OSError as error:
            raise StorageError(
                f"{self._path}: the lock file beside it cannot be opened ({error}); "
                "make the folder writable for this user"
            ) from error
        return True

    def release(self) -> None:
        """See ``Database``."""
        self._claim.release()

    def close(self) -> None:
        """See ``Database``."""
        self.hints.close()
        for turn in (self._read, self._beat, self._write):
            turn.close()
        self._claim.release()

    def _prepare(self, opener: Opener) -> None:
        """Check whose file it is, then lay or migrate the tables."""
        connection = opener.connect()
        try:
            identity = identify(connection, self._path, NEWEST)
            if identity is Identity.CURRENT:
                return
            if identity is Identity.EMPTY:
                # Kept in the file: every later connection is in WAL mode too.
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA busy_timeout = {1_000 * _PATIENCE_S}")
            migrate(connection, APPLICATION_ID)
        finally:
            connection.close()


def _target(path: Path) -> str:
    """The URI that opens ``path``.

    WAL mode wants to write beside the file even to read it. On a read-only disk nobody can change
    the file, so it is read as it lies; not while it has a write-ahead log, whose transactions would
    be missed.
    """
    name = f"file:{quote(str(path.absolute()))}"
    write_ahead_log = path.with_name(path.name + "-wal")
    if (
        path.exists()
        and os.statvfs(path).f_flag & os.ST_RDONLY
        and not (write_ahead_log.exists() and write_ahead_log.stat().st_size)
    ):
        return f"{name}?mode=ro&immutable=1"
    return f"{name}?mode=rwc"
