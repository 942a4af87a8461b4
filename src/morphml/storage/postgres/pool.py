"""A few connections that threads take in turns."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final

import psycopg
from psycopg import Pipeline, pq

from morphml.errors import StorageError, StoreUnavailable
from morphml.storage.postgres.connection import (
    Connection,
    Opener,
    PostgresTransaction,
    Texts,
    went_away,
)
from morphml.storage.postgres.faults import fault, of_a_standby, unreachable

#: Each statement sees what was committed before it; rows are locked as they are changed.
WRITE: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
#: All statements see the state that the first one saw.
READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Pool:
    """Makes connections when they are needed, and keeps them until they break."""

    def __init__(self, opener: Opener, texts: Texts, *, most: int, wait_s: float, where: str):
        """Open nothing yet.

        Args:
            opener: makes the connections.
            texts: shared by all pools of a store.
            most: connections at once.
            wait_s: seconds to wait for a free one before ``StoreUnavailable``.
            where: the database's URL without a password, for messages.
        """
        self._opener = opener
        self._texts = texts
        self._most = most
        self._wait_s = wait_s
        self._free = threading.Semaphore(most)
        self._idle: deque[Connection] = deque()
        self._process = os.getpid()
        self._closed = False
        self.where = where

    def turn(self, begin: str) -> Turn:
        """A transaction, to be entered once."""
        return Turn(self, self._texts, begin)

    def take(self) -> Connection:
        """A connection for the calling thread, to be handed to ``give``.

        Raises:
            StoreUnavailable: when the server cannot be reached, or no connection became free.
            StorageError: when the store was closed, or is the parent process's.
        """
        self._refuse_strangers()
        if not self._free.acquire(timeout=self._wait_s):
            raise StoreUnavailable(
                f"{self.where}: all {self._most} connections of this store were in use for "
                f"{self._wait_s:g} s; raise `connections`, or use fewer threads"
            )
        try:
            return self._usable()
        except BaseException:
            self._free.release()
            raise

    def give(self, connection: Connection) -> None:
        """Take a connection back; one that is not as it was handed out is closed."""
        sound = (
            not connection.closed
            and connection.info.transaction_status is pq.TransactionStatus.IDLE
            and connection.pgconn.pipeline_status == pq.PipelineStatus.OFF
        )
        if sound and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()
        self._free.release()

    def close(self) -> None:
        """Close the idle connections, and the others when they come back."""
        self._closed = True
        while self._idle:
            connection = self._idle.pop()
            if os.getpid() == self._process:
                connection.close()

    def _usable(self) -> Connection:
        while self._idle:
            # The one used last: the others may be closed by the server for idling.
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if not went_away(connection):
                return connection
            connection.close()
        try:
            return self._opener.connect()
        except psycopg.Error as error:
            raise unreachable(error, self.where) from error

    def _refuse_strangers(self) -> None:
        if os.getpid() != self._process:
            raise StorageError(
                f"{self.where}: this store was opened before a fork and is the parent's; "
                "open it again in the child"
            )
        if self._closed:
            raise StorageError(f"{self.where}: this store was closed; open it again")


class Turn:
    """One transaction on a connection of a pool."""

    def __init__(self, pool: Pool, texts: Texts, begin: str) -> None:
        self._pool = pool
        self._texts = texts
        self._begin = begin

    def __enter__(self) -> PostgresTransaction:
        self._connection = connection = self._pool.take()
        self._pipeline: AbstractContextManager[Pipeline] = connection.pipeline()
        try:
            pipeline = self._pipeline.__enter__()
            # In a pipeline: it goes out with the first statement.
            connection.execute(self._begin)
        except BaseException as error:
            self._undo()
            self._pool.give(connection)
            if isinstance(error, psycopg.Error):
                raise fault(error, self._pool.where) from error
            raise
        return PostgresTransaction(connection, self._texts, pipeline)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._commit()
            else:
                self._undo()
        except psycopg.Error as refused:
            self._roll_back()
            self._leave(refused)
            raise fault(refused, self._pool.where) from refused
        except BaseException:
            self._leave(None)
            raise
        self._leave(error)
        if isinstance(error, psycopg.Error):
            raise fault(error, self._pool.where) from error

    def _leave(self, error: BaseException | None) -> None:
        if of_a_standby(error):
            # The next connection may find the primary.
            self._connection.close()
        self._pool.give(self._connection)

    def _commit(self) -> None:
        answer = self._connection.cursor()
        try:
            answer.execute("COMMIT")
        except BaseException:
            self._undo()
            raise
        self._pipeline.__exit__(None, None, None)
        if answer.statusmessage != "COMMIT":
            # The server answers so, without an error, when the transaction had failed before.
            raise psycopg.OperationalError(f"the commit was answered {answer.statusmessage!r}")

    def _undo(self) -> None:
        # What went wrong before is what the caller is told; the pool closes what is left in doubt.
        with contextlib.suppress(psycopg.Error):
            self._pipeline.__exit__(None, None, None)
        self._roll_back()

    def _roll_back(self) -> None:
        with contextlib.suppress(psycopg.Error):
            if self._connection.info.transaction_status is not pq.TransactionStatus.IDLE:
                self._connection.execute("ROLLBACK")
