"""What a store needs of a database: transactions that run named statements.

Core statements are compiled once per open store and then run as text on the driver's own
connection: a statement built and compiled each time costs 100 us and more, its text about 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Protocol, TypeAlias, TypeVar

from sqlalchemy.engine import Dialect

from morphml.errors import StoreUnavailable
from morphml.storage.expressions import Statement
from morphml.storage.hints import Hints

T = TypeVar("T")
#: What tables hold.
Value: TypeAlias = str | int | float | None
#: One row; the columns are those of the statement that was run.
Row: TypeAlias = tuple[Any, ...]
#: Values of a statement's parameters by name.
Values: TypeAlias = Mapping[str, Value]
#: The only row that a statement returned, or None; to be called once, within the transaction.
Answer: TypeAlias = "Callable[[], Row | None]"


class Collision(StoreUnavailable):
    """Two transactions got into each other's way and this one was undone whole: run it again."""


def again(transaction: Callable[[], T]) -> T:
    """What ``transaction`` returns, run again when it collided with another one.

    Args:
        transaction: one whole transaction, without effects outside the database.

    Raises:
        Collision: when it collided three times.
    """
    for _ in range(2):
        try:
            return transaction()
        except Collision:
            continue
    return transaction()


class Transaction(Protocol):
    """One transaction under way; of no use after its block."""

    def rows(self, statement: Statement, values: Values) -> list[Row]:
        """All rows that the statement returns."""
        ...

    def row(self, statement: Statement, values: Values) -> Row | None:
        """The only row that the statement returns, or None."""
        ...

    def ask(self, statement: Statement, values: Values) -> Answer:
        """Run the statement and look at its row later, which may spare a round trip.

        Nothing is waited for: an error may come with a later statement, or with the answer.
        """
        ...

    def run(self, statement: Statement, values: Values) -> int:
        """How many rows the statement changed."""
        ...

    def each(self, statement: Statement, many: Sequence[Values]) -> list[Row | None]:
        """The only row that the statement returns for each of ``many``, or None.

        One round trip to the database for all of them, where there is one to make.
        """
        ...

    def tell(self, statement: Statement, many: Sequence[Values]) -> None:
        """Run the statement for each of ``many``; what it changes or returns is not looked at.

        Nothing is waited for: an error may come with a later statement, or at the end.
        """
        ...

    def add(self, statement: Statement, rows: Iterable[Row]) -> None:
        """Insert rows whose values stand in the order of the table's columns.

        Nothing is waited for, as with ``tell``.
        """
        ...


class Database(Protocol):
    """An open database; may be used from several threads."""

    @property
    def hints(self) -> Hints:
        """Hints between all who have this database open."""
        ...

    def writing(self) -> AbstractContextManager[Transaction]:
        """A transaction that may write: stored when the block ends, undone when it raises.

        Raises:
            StorageError: when the database refuses; nothing of the block is stored.
        """
        ...

    def beating(self) -> AbstractContextManager[Transaction]:
        """Like ``writing``, on a connection that session renewals have to themselves."""
        ...

    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction that sees one state of the database and waits for no writer."""
        ...

    def claim(self) -> bool:
        """Make this process the one that claims tasks, where the database allows only one.

        Returns:
            True when it has just become so: whoever claimed before it is dead.

        Raises:
            StoreInUse: when another process is the one.
        """
        ...

    def release(self) -> None:
        """Let another process claim tasks; safe to call without having claimed."""
        ...

    def close(self) -> None:
        """Close all connections and give locks back; safe to call twice."""
        ...


class StatementTexts(dict[Statement, str]):
    """Texts of statements in one dialect, compiled when first asked for.

    A dictionary, since every statement of every transaction looks its text up.

    Args:
        dialect: with named or with positional parameters.
    """

    def __init__(self, dialect: Dialect) -> None:
        super().__init__()
        self._dialect = dialect

    def __missing__(self, statement: Statement) -> str:
        """The SQL of ``statement``."""
        found = self[statement] = compiled_text(statement, self._dialect)
        return found


@cache
def compiled_text(statement: Statement, dialect: Dialect) -> str:
    """The SQL of ``statement`` in ``dialect``, about 500 us; stores of one process share it."""
    compiled = statement().compile(dialect=dialect)
    text = str(compiled)
    for name, value in (compiled.params or {}).items():
        if value is not None:
            # Numbers of the statement's own (SQLite's OFFSET 0) are written into the text.
            assert isinstance(value, int), f"{statement.__name__} binds {name}={value!r} itself"
            text = text.replace(compiled.bindtemplate % {"name": name}, str(value))
    return text
