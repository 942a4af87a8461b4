"""SQL expressions that every statement module shares."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import Double, Text, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import ExecutableReturnsRows

#: A statement is a function that builds it; a database compiles it once and keeps the text.
Statement: TypeAlias = Callable[[], ExecutableReturnsRows]


class database_now(FunctionElement[float]):  # written like an SQL function
    """Seconds since the Unix epoch by the database's own clock.

    All leases are judged by it, so the clocks of masters do not matter.
    """

    type = Double()
    inherit_cache = True
    name = "database_now"


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: SQLCompiler, **_: object) -> str:
    # Registered on every connection: one machine has one clock, and tests can set it.
    return "morphml_now()"


@compiles(database_now, "postgresql")
def _postgresql_now(element: database_now, compiler: SQLCompiler, **_: object) -> str:
    # Not now(): that is the time at which the transaction began.
    return "extract(epoch from clock_timestamp())::double precision"


class database_life(FunctionElement[str]):  # written like an SQL function
    """What changes when the database under an address is another one than before."""

    type = Text()
    inherit_cache = True
    name = "database_life"


@compiles(database_life, "sqlite")
def _sqlite_life(element: database_life, compiler: SQLCompiler, **_: object) -> str:
    return "''"


@compiles(database_life, "postgresql")
def _postgresql_life(element: database_life, compiler: SQLCompiler, **_: object) -> str:
    # The timeline: a standby that takes over begins a new one, and so does a restored backup.
    # Until then it writes no log of its own, and could not be asked.
    return (
        "CASE WHEN pg_is_in_recovery() THEN 'standby'"
        " ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END"
    )


def constant(value: StrEnum) -> ColumnElement[str]:
    """A state's name written into the text: a partial index is not used for a bound value."""
    return literal_column(f"'{value.value}'")


def checked(column: ColumnElement[str]) -> ColumnElement[str]:
    """A text column in a condition on a row that is found by its key.

    Written plainly, the condition may lead a planner into a partial index instead, through all
    the rows that fulfil it.
    """
    return column.concat(literal_column("''"))
