"""Every statement compiles for SQLite and for PostgreSQL, with names only for its values."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module

import pytest
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from morphml.storage import statements
from morphml.storage.database import StatementTexts
from morphml.storage.expressions import Statement
from morphml.storage.rows import (
    ArtifactRow,
    AttemptRow,
    EntryRow,
    EventRow,
    JobRow,
    OutputRow,
    TaskRow,
    TrialRow,
)
from morphml.storage.sqlite.connection import NAMED, POSITIONAL
from morphml.storage.statements import (
    artifact_rows,
    execution_rows,
    job_rows,
    log_rows,
    task_rows,
    trial_rows,
)
from morphml.storage.tables import (
    artifacts,
    attempts,
    execution_events,
    job_output,
    jobs,
    log,
    tasks,
    trials,
)


def all_statements() -> Iterator[Statement]:
    for found in pkgutil.iter_modules(statements.__path__):
        module = import_module(f"{statements.__name__}.{found.name}")
        for name, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__:
                assert not name.startswith("_")
                yield value


STATEMENTS = list(all_statements())


def test_there_are_statements() -> None:
    assert len(STATEMENTS) > 30


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: s.__name__)
def test_statement_compiles_for_sqlite_and_postgresql(statement: Statement) -> None:
    sqlite = StatementTexts(NAMED)[statement]
    postgres = StatementTexts(PGDialect_psycopg())[statement]
    names = set(re.findall(r":(\w+)", sqlite))
    assert set(re.findall(r"%\((\w+)\)s", postgres)) == names
    assert statement.__doc__


@pytest.mark.parametrize(
    ("table", "row", "statement"),
    [
        (trials, TrialRow, trial_rows.add_trial),
        (log, EntryRow, log_rows.add_entry),
        (tasks, TaskRow, task_rows.add_task),
        (attempts, AttemptRow, trial_rows.add_attempt),
        (artifacts, ArtifactRow, artifact_rows.add_artifact),
        (jobs, JobRow, job_rows.add_job),
        (execution_events, EventRow, execution_rows.add_event),
        (job_output, OutputRow, job_rows.add_output),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_rows_have_the_columns_of_their_tables_in_order(
    table: Table, row: type[tuple[object, ...]], statement: Statement
) -> None:
    columns = [column.key for column in table.columns]
    assert list(row._fields) == columns
    for dialect in (POSITIONAL, PGDialect_psycopg(paramstyle="format")):
        assert statement().compile(dialect=dialect).positiontup == columns


def test_value_bound_inside_a_statement_is_noticed() -> None:
    from sqlalchemy import select

    from morphml.storage.tables import trials

    def careless() -> object:
        return select(trials.c.number).where(trials.c.state == "pending")

    with pytest.raises(AssertionError, match=r"careless binds state_1='pending' itself"):
        StatementTexts(NAMED)[careless]
