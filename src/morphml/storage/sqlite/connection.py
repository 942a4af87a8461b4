"""SQLite connections and the transactions on them."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Final

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from morphml.clock import Clock
from morphml.errors import StorageError
from morphml.storage.database import Answer, Row, StatementTexts, Values
from morphml.storage.expressions import Statement
from morphml.storage.options import StoreOptions
from morphml.storage.sqlite.faults import fault

#: How statements are written for Python's ``sqlite3``.
NAMED: Final = SQLiteDialect_pysqlite(paramstyle="named")
#: The same for whole rows: a third less time than by name.
POSITIONAL: Final = SQLiteDialect_pysqlite(paramstyle="qmark")
#: SQLite's own instructions between two looks at the clock; about a millisecond.
_INSTRUCTIONS = 100_000
#: Pages in the write-ahead log before it is copied into the file: 16 MB, some 400 transactions.
#: With SQLite's 1,000 the copying doubles the time of the slowest hundredth of all commits.
_CHECKPOINT_PAGES = 4_000
#: Bytes that the write-ahead log keeps on the disk after a long reader has made it grow.
_JOURNAL_BYTES = 64 * 2**20
#: The first version with RETURNING.
_OLDEST = (3, 35)


class Texts:
    """Statements as text, in both ways of giving values; shared by a store's connections."""

    def __init__(self) -> None:
        self.named = StatementTexts(NAMED)
        self.positional = StatementTexts(POSITIONAL)


class SqliteTransaction:
    """Statements on one connection, inside the transaction that a ``Turn`` has begun."""

    def __init__(self, connection: sqlite3.Connection, texts: Texts) -> None:
        # One cursor for all: every statement is read to its end before the next one begins.
        cursor = connection.cursor()
        self._cursor = cursor
        self._execute = cursor.execute
        self._execute_many = cursor.executemany
        self._fetch = cursor.fetchall
        self._texts = texts.named
        self._row_texts = texts.positional

    def rows(self, statement: Statement, values: Values) -> list[Row]:
        """All rows that the statement returns."""
        self._execute(self._texts[statement], values)
        return self._fetch()

    def row(self, statement: Statement, values: Values) -> Row | None:
        """The only row that the statement returns, or None."""
        # All of them are fetched: an UPDATE ... RETURNING left half read would block the commit.
        self._execute(self._texts[statement], values)
        rows = self._fetch()
        return rows[0] if rows else None

    def ask(self, statement: Statement, values: Values) -> Answer:
        """The only row that the statement returns, or None; here it is known at once."""
        row = self.row(statement, values)
        return lambda: row

    def run(self, statement: Statement, values: Values) -> int:
        """How many rows the statement changed."""
        self._execute(self._texts[statement], values)
        return self._cursor.rowcount

    def each(self, statement: Statement, many: Sequence[Values]) -> list[Row | None]:
        """The only row that the statement returns for each of ``many``, or None."""
        return [self.row(statement, values) for values in many]

    def tell(self, statement: Statement, many: Sequence[Values]) -> None:
        """Run the statement for each of ``many``; what it changes or returns is not looked at."""
        self._execute_many(self._texts[statement], many)

    def add(self, statement: Statement, rows: Iterable[Row]) -> None:
        """Insert rows whose values stand in the order of the table's columns."""
        # The values of a plain tuple are bound without asking what kind of sequence it is: a third
        # of an insert's time.
        self._execute_many(self._row_texts[statement], map(tuple, rows))

    def close(self) -> None:
        """Let the last statement go: SQLite keeps a file open that one still belongs to."""
        self._cursor.close()


class Deadline:
    """When the transaction under way on one connection is to be broken off."""

    def __init__(self, monotonic: Callable[[], float], limit_s: float) -> None:
        self._monotonic = monotonic
        self._limit_s = limit_s
        self._at = 0.0

    def restart(self) -> None:
        """Give the next transaction its full time."""
        self._at = self._monotonic() + self._limit_s

    def passed(self) -> bool:
        """Whether the time is up; SQLite then ends the statement."""
        return self._monotonic() > self._at


class Turn:
    """A connection's transactions, one thread at a time; made once and entered again and again."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        texts: Texts,
        deadline: Deadline,
        *,
        begin: str,
        where: str,
    ) -> None:
        """Own ``connection``.

        Args:
            connection: as ``Opener.connect`` makes it.
            texts: shared by all connections of a store.
            deadline: of this connection alone.
            begin: ``BEGIN`` to read, ``BEGIN IMMEDIATE`` to write.
            where: the database's path, for messages.
        """
        self._connection = connection
        self._transaction = SqliteTransaction(connection, texts)
        self._deadline = deadline
        self._begin = begin
        self._where = where
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._closed = False
        connection.set_progress_handler(deadline.passed, _INSTRUCTIONS)

    def __enter__(self) -> SqliteTransaction:
        if os.getpid() != self._process:
            raise StorageError(
                f"{self._where}: this store was opened before a fork and is the parent's; "
                "open it again in the child"
            )
        self._lock.acquire()
        try:
            self._refuse_closed()
            self._deadline.restart()
            self._connection.execute(self._begin)
        except sqlite3.Error as error:
            self._lock.release()
            raise fault(error, self._where) from error
        except BaseException:
            # Ctrl-C during BEGIN: the transaction may have begun, and nobody would end it.
            if not self._closed and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._lock.release()
            raise
        return self._transaction

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._end(kept=error is None)
        except sqlite3.Error as refused:
            raise fault(refused, self._where) from refused
        finally:
            self._lock.release()
        if isinstance(error, sqlite3.Error):
            raise fault(error, self._where) from error

    def _end(self, *, kept: bool) -> None:
        try:
            if kept:
                self._connection.execute("COMMIT")
        finally:
            # A refused COMMIT may have left the transaction open; some errors have ended it.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection once no transaction is under way. May be called twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._transaction.close()
            self._connection.close()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StorageError(f"{self._where}: this store was closed; open it again")


class Opener:
    """Makes the connections of one store, all alike."""

    def __init__(self, target: str, where: str, options: StoreOptions, clock: Clock) -> None:
        """Open nothing yet.

        Args:
            target: an SQLite URI.
            where: the database's path, for messages.
            options: time-outs, cache and durability.
            clock: what ``database_now`` reads; its monotonic time is for time-outs.
        """
        self._target = target
        self._where = where
        self._options = options
        self._clock = clock
        self._texts = Texts()

    def turn(self, begin: str, connection: sqlite3.Connection | None = None) -> Turn:
        """A connection of its own, or the one given, ready for transactions.

        Raises:
            sqlite3.Error: when the file cannot be opened.
        """
        deadline = Deadline(self._clock.monotonic, self._options.statement_timeout_s)
        connection = connection or self.connect()
        return Turn(connection, self._texts, deadline, begin=begin, where=self._where)

    def connect(self) -> sqlite3.Connection:
        """A connection that begins no transaction by itself and knows the database's clock.

        Raises:
            StorageError: when SQLite is too old.
            sqlite3.Error: when the file cannot be opened.
        """
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StorageError(
                f"SQLite 3.35 or newer is needed, this Python has {sqlite3.sqlite_version}; "
                "install a newer SQLite library or Python"
            )
        connection = sqlite3.connect(
            self._target,
            uri=True,
            timeout=self._options.busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.create_function("morphml_now", 0, self._clock.now)
        connection.execute(f"PRAGMA cache_size = {-(self._options.cache_bytes // 1024)}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        # Some builds overwrite deleted rows with zeros, which nothing here needs.
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES}")
        connection.execute(f"PRAGMA synchronous = {self._options.durability.value}")
