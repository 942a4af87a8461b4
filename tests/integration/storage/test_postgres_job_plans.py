"""PostgreSQL plans of the statements that executions live on, with 100,000 jobs in the way."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pytest
from tests.integration.storage.test_postgres_query_plans import explained

from morphml.storage import SqlStore, open_store
from morphml.storage.expressions import Statement
from morphml.storage.postgres.server import PostgresDatabase
from morphml.storage.statements import (
    execution_rows,
    job_queries,
    job_rows,
    lock_rows,
    queue_rows,
    task_rows,
)
from morphml.testing.postgres import PrivateServer
from morphml.testing.store.job_script import job

ROWS = 100_000


@pytest.fixture(scope="module")
def one_execution(postgres_server: PrivateServer, postgres_template: str) -> str:
    """A database with one execution of two jobs, one of which waits for a worker."""
    url = postgres_server.new_database(postgres_template)
    with contextlib.closing(open_store(url)) as store:
        document = {"workflowId": "w", "jobs": [job("a"), job("b", "a")]}
        store.workflows.running.start(document, None)
    return url.rpartition("/")[2]


@pytest.fixture(scope="module")
def many_jobs(postgres_server: PrivateServer, one_execution: str) -> str:
    """The same with 1,000 executions that ended, and 100,000 jobs."""
    database = postgres_server.new_database(one_execution).rpartition("/")[2]
    fill(postgres_server, database)
    return database


def fill(server: PrivateServer, database: str) -> None:
    jobs = "waiting_for, passed, barred, kept, failures, losses, priority"
    for statement in (
        f"""INSERT INTO executions SELECT 'x' || n, workflow, NULL, 'completed', '', NULL, 0, 0, 9,
            0, 9, 0, n, n FROM executions, generate_series(1, {ROWS // 100}) AS n""",
        f"""INSERT INTO jobs (execution, number, name, state, reason, {jobs}, ended_at)
            SELECT 'x' || (n % {ROWS // 100} + 1), n, 'j', 'succeeded', '', {jobs}, n
            FROM jobs, generate_series(2, {ROWS}) AS n WHERE number = 0""",
        f"""INSERT INTO jobs (execution, number, name, state, reason, {jobs})
            SELECT execution, n, 'j', 'waiting', '', {jobs}
            FROM jobs, generate_series(2, {ROWS // 10}) AS n
            WHERE number = 0 AND execution NOT IN (SELECT id FROM executions WHERE ended_at > 0)""",
    ):
        server.execute(statement, database)


@pytest.fixture(scope="module", params=["empty", "uncounted", "counted"])
def store(request: pytest.FixtureRequest, postgres_server: PrivateServer) -> Iterator[SqlStore]:
    """The store as the server sees it before and after it has counted the rows, and without."""
    laid = "one_execution" if request.param == "empty" else "many_jobs"
    url = postgres_server.new_database(request.getfixturevalue(laid))
    if request.param == "counted":
        postgres_server.execute("ANALYZE", url.rpartition("/")[2])
    with contextlib.closing(open_store(url)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (execution_rows.standing_of, "executions_pkey"),
        (execution_rows.touch, "executions_pkey"),
        (execution_rows.end_execution, "executions_pkey"),
        (execution_rows.events_after, "execution_events_pkey"),
        (execution_rows.open_job_classes, "ix_tasks_ready"),
        (execution_rows.open_job_classes, "ix_executions_open"),
        (execution_rows.newest_executions, "ix_executions_created_at"),
        (execution_rows.over_since, "ix_executions_over"),
        (job_rows.end_job, "jobs_pkey"),
        (job_rows.count_ends, "jobs_pkey"),
        (job_rows.start_job, "jobs_pkey"),
        (job_rows.first_ready, "ix_jobs_ready"),
        (job_rows.drop_task, "tasks_pkey"),
        (job_queries.outputs_of, "jobs_pkey"),
        (job_queries.searches, "ix_jobs_searching"),
        (job_queries.ended_lately, "ix_jobs_ended_at"),
        (job_queries.due_jobs, "ix_tasks_due"),
        (task_rows.held_task, "tasks_pkey"),
        (lock_rows.lock_of, "locks_pkey"),
        (queue_rows.queue_settings, "queue_pkey"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_hot_statement_of_executions_walks_its_index(
    store: SqlStore, statement: Statement, index: str
) -> None:
    database = store._database
    assert isinstance(database, PostgresDatabase)
    connection = database._pool.take()
    try:
        found = explained(connection, statement)
    finally:
        database._pool.give(connection)
    assert re.search(rf"using {index}\b|on {index}\b", found), found
    assert not re.search(r"Seq Scan on (tasks|jobs|execution_events|attempts)\b", found), found
