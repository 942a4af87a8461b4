"""Connections to PostgreSQL, and the statements of a transaction on one."""

from __future__ import annotations

import math
import select
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias, TypeVar, cast

import psycopg
from psycopg import Pipeline, pq
from psycopg.abc import PQGen
from psycopg.types.numeric import Int8Dumper
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import Dialect

from morphml.storage.database import Answer, Row, StatementTexts, Values
from morphml.storage.expressions import Statement
from morphml.storage.options import Durability, StoreOptions

#: How statements are written for psycopg.
NAMED: Final[Dialect] = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # not annotated there
#: The same for whole rows.
POSITIONAL: Final[Dialect] = PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
#: Statements that a connection keeps prepared: more than there are.
_PREPARED = 256

#: The first version that limits whole transactions.
TRANSACTION_TIMEOUT: Final = 170_000

Connection: TypeAlias = psycopg.Connection[Row]

T = TypeVar("T")
#: Seconds beyond its time limit that a statement may take to be answered.
_LATE_S: Final = 2.0


class _Impatient(psycopg.Connection[Row]):
    """A connection that gives its server up after a long silence.

    The server ends what takes too long and says so. One that says nothing at all is not there any
    more, although something between may confirm what is sent: then neither keepalives nor the limit
    of TCP find out, and whoever waits would wait for ever. psycopg offers no other place for this.
    """

    silence_s = math.inf

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """See ``psycopg.Connection``; the connection is closed when it gives up.

        Raises:
            psycopg.OperationalError: after ``silence_s`` seconds without a word.
        """
        try:
            return super().wait(_heard_of(gen, self.silence_s), interval, timeout)
        except _Silence as silence:
            self.close()
            raise psycopg.OperationalError(str(silence)) from None


class _Silence(Exception):
    """A server said nothing for too long."""


def _heard_of(gen: PQGen[T], most_s: float) -> PQGen[T]:
    """The same, as long as something can be read or written now and then."""
    try:
        wanted = next(gen)
        heard_at = time.monotonic()
        while True:
            ready = yield wanted
            if ready:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > most_s:
                raise _Silence(f"the server said nothing for {most_s:g} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        return cast("T", end.value)


class Texts:
    """Statements as text, in both ways of giving values; shared by a store's connections."""

    def __init__(self) -> None:
        self.named = StatementTexts(NAMED)
        self.positional = StatementTexts(POSITIONAL)


class PostgresTransaction:
    """Statements on one connection, inside the transaction and pipeline that a ``Turn`` began.

    In a pipeline nothing is waited for until somebody asks for rows: a driver's transaction of
    eight statements is two round trips.
    """

    def __init__(self, connection: Connection, texts: Texts, pipeline: Pipeline) -> None:
        # One cursor is asked and read at once; the other's results nobody looks at.
        self._connection = connection
        self._asking = connection.cursor()
        self._telling = connection.cursor()
        self._texts = texts.named
        self._row_texts = texts.positional
        # Between two waits of a pipeline an older server believes that more is on its way, and
        # would let a stopped master keep its locks for ever; at a sync it begins to count.
        limited = connection.info.server_version >= TRANSACTION_TIMEOUT
        self._settle = _nothing if limited else pipeline.sync

    def rows(self, statement: Statement, values: Values) -> list[Row]:
        """All rows that the statement returns."""
        cursor = self._asking
        found = cursor.execute(self._texts[statement], values, prepare=True).fetchall()
        self._settle()
        return found

    def row(self, statement: Statement, values: Values) -> Row | None:
        """The only row that the statement returns, or None."""
        rows = self.rows(statement, values)
        return rows[0] if rows else None

    def ask(self, statement: Statement, values: Values) -> Answer:
        """Send the statement with the next that is waited for; its only row, or None, later."""
        cursor = self._connection.cursor()
        cursor.execute(self._texts[statement], values, prepare=True)

        def answer() -> Row | None:
            rows = cursor.fetchall()
            self._settle()
            return rows[0] if rows else None

        return answer

    def run(self, statement: Statement, values: Values) -> int:
        """How many rows the statement changed."""
        # Not `execute`: in a pipeline that would not wait for the count.
        self._asking.executemany(self._texts[statement], (values,), returning=True)
        self._settle()
        return self._asking.rowcount

    def each(self, statement: Statement, many: Sequence[Values]) -> list[Row | None]:
        """The only row that the statement returns for each of ``many``, or None."""
        if not many:
            return []
        cursor = self._asking
        cursor.executemany(self._texts[statement], many, returning=True)
        found: list[Row | None] = [cursor.fetchone()]
        while cursor.nextset():
            found.append(cursor.fetchone())
        self._settle()
        return found

    def tell(self, statement: Statement, many: Sequence[Values]) -> None:
        """Run the statement for each of ``many``; what it changes or returns is not looked at."""
        self._telling.executemany(self._texts[statement], many)

    def add(self, statement: Statement, rows: Iterable[Row]) -> None:
        """Insert rows whose values stand in the order of the table's columns."""
        self._telling.executemany(self._row_texts[statement], rows)


class Opener:
    """Makes the connections of one store, all alike.

    Args:
        url: as libpq reads it, with its password.
        options: time-outs and durability.
    """

    def __init__(self, url: str, options: StoreOptions) -> None:
        self._url = url
        self._options = options

    def connect(self) -> Connection:
        """A connection that begins no transaction by itself.

        Raises:
            psycopg.Error: when the server cannot be reached or refuses.
        """
        options = self._options
        defaults: dict[str, Any] = {
            "connect_timeout": max(2, round(options.connect_timeout_s)),
            "application_name": "morphml",
            # A server that vanished without a word is noticed after half a lease when something was
            # sent to it, else after about 11 s.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": max(2_000, round(options.session_lease_s * 500)),
        }
        given = psycopg.conninfo.conninfo_to_dict(self._url)
        connection = _Impatient.connect(
            **{**defaults, **{key: value for key, value in given.items() if value is not None}},
            autocommit=True,
        )
        connection.silence_s = options.statement_timeout_s + _LATE_S
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: Connection) -> None:
        connection.prepared_max = _PREPARED
        # By its size an integer would be of three types, and each statement prepared three times.
        connection.adapters.register_dumper(int, Int8Dumper)
        options = self._options
        settings = {
            "statement_timeout": _milliseconds(options.statement_timeout_s),
            "lock_timeout": _milliseconds(options.busy_timeout_s),
            # A master that was stopped in a transaction must not keep its rows from the one that
            # takes over when its lease has run out.
            "idle_in_transaction_session_timeout": _milliseconds(options.session_lease_s / 2),
            "client_encoding": "UTF8",
            # One plan for each statement, made to walk an index also while tables are small: they
            # grow a thousandfold before the server counts them again.
            "plan_cache_mode": "force_generic_plan",
            "enable_seqscan": "off",
            "jit": "off",
        }
        if connection.info.server_version >= TRANSACTION_TIMEOUT:
            settings["transaction_timeout"] = _milliseconds(options.session_lease_s)
        if options.durability is Durability.FULL and _setting(connection) in {"off", "local"}:
            settings["synchronous_commit"] = "on"
        calls = ", ".join(["set_config(%s, %s, false)"] * len(settings))
        words = [word for pair in settings.items() for word in pair]
        connection.execute(f"SELECT {calls}".encode(), words)


def went_away(connection: Connection) -> bool:
    """Whether an idle connection is of no more use, as far as can be known; about 3 us.

    An idle server says nothing: what can be read is its farewell, or the end.
    """
    if connection.closed or connection.info.transaction_status is not pq.TransactionStatus.IDLE:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _setting(connection: Connection) -> str:
    row = connection.execute("SELECT current_setting('synchronous_commit')").fetchone()
    return "" if row is None else str(row[0])


def _nothing() -> None:
    pass


def _milliseconds(seconds: float) -> str:
    # 0 would mean no limit at all.
    return f"{max(1, round(seconds * 1000))}ms"
