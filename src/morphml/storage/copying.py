"""Copying a whole store into another one, of whatever kind.

All rows are read from one state of the source and written in one transaction of the target: the
copy is whole, or it is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    CompoundSelect,
    Insert,
    Select,
    Table,
    bindparam,
    func,
    insert,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from morphml.errors import StoreInUse, StoreMismatch, StoreUnavailable
from morphml.storage.database import Database, Row, Transaction, Values
from morphml.storage.expressions import Statement
from morphml.storage.options import StoreOptions
from morphml.storage.statements import session_rows
from morphml.storage.tables import bundle_chunks, executions, experiments, metadata

#: Time for a large copy: a transaction is ended with its statement's time, or with the lease.
COPY_OPTIONS: Final = StoreOptions(
    session_lease_s=86_400.0, statement_timeout_s=86_400.0, connections=2
)
#: Rows read at once; of chunks of source code, which are up to a megabyte each, fewer.
_PAGE: Final = 2_000
_CHUNKS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """How far a copy is."""

    table: str
    #: Rows of the table that are written.
    rows: int
    #: Rows that it has in all.
    total: int


def copy_store(
    source: Database, target: Database, progress: Callable[[Copied], None]
) -> dict[str, int]:
    """Copy every row of ``source`` into ``target``.

    Args:
        source: opened with ``COPY_OPTIONS``; nobody may drive anything on it.
        target: opened likewise; empty.
        progress: is called after each page.

    Returns:
        Rows of each table.

    Raises:
        StoreInUse: when a session is live on the source.
        StoreMismatch: when the target is not empty.
        StoreUnavailable: when the rows of both differ in number at the end; nothing is kept.
    """
    with source.reading() as reading:
        _refuse_live(reading)
        totals = _counts(reading)
        with target.writing() as writing:
            _refuse_rows(writing)
            for table in metadata.sorted_tables:
                _copy_table(reading, writing, table, totals[table.name], progress)
                _go_on_counting(writing, table)
            _compare(totals, _counts(writing))
    return totals


def owners_of_files(database: Database) -> list[str]:
    """Ids of all experiments and executions, which their folders of files are called by."""
    with database.reading() as reading:
        return [owner for (owner,) in reading.rows(_ids_of_owners, {})]


def _refuse_live(reading: Transaction) -> None:
    live = [name for name, late in reading.rows(session_rows.live_sessions, {}) if not late]
    if live:
        raise StoreInUse(
            f"the source is in use by {len(live)} live session(s); what they write from now on "
            "would not be in the copy: stop its masters and searches first, or wait until the "
            "lease of one that was killed has run out (8 s)"
        )


def _refuse_rows(writing: Transaction) -> None:
    for name, count in _counts(writing).items():
        if count:
            raise StoreMismatch(
                f"the target is not empty ({count} rows in {name}); name a new file, or an empty "
                "database; it was left unchanged"
            )


def _compare(wanted: Mapping[str, int], found: Mapping[str, int]) -> None:
    wrong = [f"{name}: {found[name]} of {wanted[name]}" for name in wanted if found != wanted]
    if found != wanted:
        raise StoreUnavailable(f"the copy is not complete ({', '.join(wrong)}); nothing is kept")


def _counts(run: Transaction) -> dict[str, int]:
    counts: dict[str, int] = {}
    for table in metadata.sorted_tables:
        row = run.row(_count_of(table), {})
        assert row is not None, "count() returns a row"
        counts[table.name] = int(row[0])
    return counts


def _copy_table(
    reading: Transaction,
    writing: Transaction,
    table: Table,
    total: int,
    progress: Callable[[Copied], None],
) -> None:
    done = 0
    for page in _pages(reading, table):
        writing.add(_insert_into(table), page)
        done += len(page)
        progress(Copied(table=table.name, rows=done, total=total))


def _pages(reading: Transaction, table: Table) -> Iterator[list[Row]]:
    limit = _CHUNKS if table is bundle_chunks else _PAGE
    places = [list(table.columns).index(column) for column in table.primary_key]
    rows = reading.rows(_first_page(table), {"p_limit": limit})
    while rows:
        yield rows
        if len(rows) < limit:
            return
        after: Values = {f"p_{place}": rows[-1][place] for place in places}
        rows = reading.rows(_next_page(table), {**after, "p_limit": limit})


def _go_on_counting(writing: Transaction, table: Table) -> None:
    """Rows that are added later get ids after those of the copy."""
    column = table.autoincrement_column
    if column is not None:
        writing.rows(_set_counter(column), {})


# Statements of any table: made once for each, since a store keeps their texts.


def _ids_of_owners() -> CompoundSelect[Any]:
    return union_all(select(experiments.c.id), select(executions.c.id))


@cache
def _count_of(table: Table) -> Statement:
    return lambda: select(func.count()).select_from(table)


@cache
def _insert_into(table: Table) -> Statement:
    def into() -> Insert:
        return insert(table)

    return into


@cache
def _first_page(table: Table) -> Statement:
    return lambda: _page(table)


@cache
def _next_page(table: Table) -> Statement:
    def page() -> Select[Any]:
        places = {column: place for place, column in enumerate(table.columns)}
        key = list(table.primary_key)
        after = [bindparam(f"p_{places[column]}", type_=column.type) for column in key]
        return _page(table).where(tuple_(*key) > tuple_(*after))

    return page


def _page(table: Table) -> Select[Any]:
    return select(table).order_by(*table.primary_key).limit(bindparam("p_limit"))


@cache
def _set_counter(column: Column[Any]) -> Statement:
    return lambda: select(_counter_behind(column))


class _counter_behind(FunctionElement[int]):  # written like an SQL function
    """Sets the counter of a column of ids behind the largest one."""

    type = BigInteger()
    inherit_cache = False
    name = "counter_behind"


@compiles(_counter_behind, "sqlite")
def _sqlite_counter(element: _counter_behind, compiler: SQLCompiler, **_: object) -> str:
    # There the next id is the largest one and 1.
    return "NULL"


@compiles(_counter_behind, "postgresql")
def _postgresql_counter(element: _counter_behind, compiler: SQLCompiler, **_: object) -> str:
    (column,) = element.clauses
    table, name = column.table.name, column.name
    newest = f"(SELECT max({name}) FROM {table})"  # noqa: S608  # names of our own tables
    return (
        f"setval(pg_get_serial_sequence('{table}', '{name}'), coalesce({newest}, 1), "
        f"{newest} IS NOT NULL)"
    )
