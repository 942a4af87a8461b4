"""A batch of jobs costs as many waits for the database as one job: claimed, called, told, ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from morphml.clock import SystemClock
from morphml.search.changes import AttemptResult
from morphml.storage import SqlStore, StoreOptions
from morphml.storage.database import Database, Row, Transaction, Values
from morphml.storage.expressions import Statement
from morphml.storage.hints import Hints
from morphml.storage.sqlite.memory import SqliteMemory
from morphml.storage.workflows import JobEnd


class _Counted:
    """A transaction that counts what is waited for."""

    def __init__(self, inner: Transaction, waits: list[str]) -> None:
        self._inner = inner
        self._waits = waits

    def rows(self, statement: Statement, values: Values) -> list[Row]:
        self._waits.append(statement.__name__)
        return self._inner.rows(statement, values)

    def row(self, statement: Statement, values: Values) -> Row | None:
        self._waits.append(statement.__name__)
        return self._inner.row(statement, values)

    def run(self, statement: Statement, values: Values) -> int:
        self._waits.append(statement.__name__)
        return self._inner.run(statement, values)

    def each(self, statement: Statement, many: Sequence[Values]) -> list[Row | None]:
        if many:
            self._waits.append(statement.__name__)
        return self._inner.each(statement, many)

    def tell(self, statement: Statement, many: Sequence[Values]) -> None:
        self._inner.tell(statement, many)

    def add(self, statement: Statement, rows: Iterable[Row]) -> None:
        self._inner.add(statement, rows)


class Counting:
    """A database that counts statements that are waited for, and ends of transactions."""

    def __init__(self, inner: Database) -> None:
        self._inner = inner
        self.waits: list[str] = []

    @property
    def hints(self) -> Hints:
        return self._inner.hints

    def writing(self) -> AbstractContextManager[Transaction]:
        return self._counted(self._inner.writing())

    def beating(self) -> AbstractContextManager[Transaction]:
        return self._inner.beating()

    def reading(self) -> AbstractContextManager[Transaction]:
        return self._counted(self._inner.reading())

    def claim(self) -> bool:
        return self._inner.claim()

    def release(self) -> None:
        self._inner.release()

    def close(self) -> None:
        self._inner.close()

    @contextmanager
    def _counted(self, turn: AbstractContextManager[Transaction]) -> Iterator[Transaction]:
        with turn as run:
            yield _Counted(run, self.waits)
        self.waits.append("commit")


def waits_of_a_batch(document: dict[str, Any], jobs: int) -> list[str]:
    """What is waited for while that many jobs are claimed, called, told of and ended together."""
    options = StoreOptions()
    database = Counting(SqliteMemory(options, SystemClock()))
    store = SqlStore(database, options)
    try:
        session = store.open_session("m")
        running = store.workflows.running
        execution = running.start(document, None)
        claimed = store.cluster.claim_jobs(session, 1_000)
        assert len(claimed) == jobs
        del database.waits[:]
        calls = running.calls(claimed)
        assert [call.number for call in calls if call] == [task.number for task in claimed]
        store.workflows.write_output(execution, {t.number: [("log", "done\n")] for t in claimed})
        ends = [
            JobEnd(
                number=task.number,
                token=task.token,
                result=AttemptResult.SUCCEEDED,
                worker="w",
                started_at=0.0,
                duration_s=0.0,
                outputs=b"{}",
                failure=None,
                reason="",
                own=False,
            )
            for task in claimed
        ]
        assert running.end_attempts(execution, ends, session) == []
        written = [
            store.workflows.reading.output(execution, task.number, 0, 10) for task in claimed
        ]
        assert [[piece.text for piece in each] for each in written] == [["done\n"]] * jobs
        return database.waits[: len(database.waits) - 2 * jobs]
    finally:
        store.close()


def plain(jobs: int) -> dict[str, Any]:
    listed = [{"id": f"j{number}", "type": "preprocessing"} for number in range(jobs)]
    return {"workflowId": "plain", "jobs": [*listed, {**LAST, "dependsOn": ["j0"]}]}


def parts(count: int) -> dict[str, Any]:
    whole = {"id": "whole", "type": "preprocessing", "forEach": list(range(count))}
    return {"workflowId": "parts", "jobs": [whole, {**LAST, "dependsOn": ["whole"]}]}


#: Waits for others, so that the execution goes on.
LAST = {"id": "last", "type": "preprocessing"}


@pytest.mark.parametrize(("made", "most"), [(plain, 10), (parts, 14)])
def test_batch_waits_for_the_database_as_often_as_one_job(
    made: Callable[[int], dict[str, Any]], most: int
) -> None:
    alone = waits_of_a_batch(made(1), 1)
    together = waits_of_a_batch(made(40), 40)
    assert len(together) <= len(alone) <= most, (alone, together)
    assert together.count("commit") == 3
