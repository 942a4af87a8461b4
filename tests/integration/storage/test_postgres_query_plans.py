"""PostgreSQL plans and costs of the statements on the hot paths, with 100,000 rows in the way."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pytest
from psycopg import Connection

from morphml.scheduling.resources import Capacity
from morphml.storage import open_store
from morphml.storage.database import compiled_text
from morphml.storage.expressions import Statement
from morphml.storage.postgres.connection import NAMED
from morphml.storage.postgres.server import PostgresDatabase
from morphml.storage.statements import (
    experiment_rows,
    knowledge_rows,
    log_rows,
    mail_rows,
    session_rows,
    task_rows,
    trial_rows,
)
from morphml.testing.postgres import PrivateServer
from morphml.testing.store_contract import Ask, DriverScript, sample_spec

ROWS = 100_000


@pytest.fixture(scope="module")
def first_trial(postgres_server: PrivateServer, postgres_template: str) -> str:
    """A database with one trial, which waits for a worker with much memory."""
    url = postgres_server.new_database(postgres_template)
    with contextlib.closing(open_store(url)) as store:
        session = store.open_session("one")
        script = DriverScript(store, store.create_experiment(sample_spec()), session)
        script.ask(1, Ask(leased=False, rank=-1.0, requirements={"high-memory": 1.0}))
        store.close_session(session)
        store.open_session("other")
    return url.rpartition("/")[2]


@pytest.fixture(scope="module")
def many_trials(postgres_server: PrivateServer, first_trial: str) -> str:
    """The same with 100,000 trials."""
    database = postgres_server.new_database(first_trial).rpartition("/")[2]
    fill(postgres_server, database)
    return database


@pytest.fixture(scope="module", params=["empty", "uncounted", "counted"])
def script(
    request: pytest.FixtureRequest, postgres_server: PrivateServer
) -> Iterator[DriverScript]:
    """100,000 trials: most wait for a worker with much memory, some wait, some are held.

    Also as the server sees them before it has counted them, and before there are any: a plan is
    made once, and must not depend on when that was.
    """
    laid = "first_trial" if request.param == "empty" else "many_trials"
    url = postgres_server.new_database(request.getfixturevalue(laid))
    if request.param == "counted":
        postgres_server.execute("ANALYZE", url.rpartition("/")[2])
    with contextlib.closing(open_store(url)) as store:
        [experiment] = store.experiments()
        script = DriverScript(store, experiment.id, store.open_session("two"))
        script.ask(100, Ask(leased=False, rank=5.0))
        yield script


def fill(server: PrivateServer, database: str) -> None:
    """Copies of the first trial, its task and its entry; of each ten tasks one waits for an hour
    to come, and one is held by another session."""
    run = [
        f"""INSERT INTO trials SELECT experiment, n, state, vector, graph_id, 'p' || n, computed,
            metrics, duration_s, epochs, created_at, ended_at
            FROM trials, generate_series(1, {ROWS - 1}) AS n WHERE number = 0""",
        f"""INSERT INTO tasks SELECT owner, n, segment, owner || '-' || n || '-0', kind, from_epoch,
            to_epoch, class, rank, CASE n % 10 WHEN 1 THEN 'leased' ELSE state END,
            CASE n % 10 WHEN 0 THEN 1e11 END, 0,
            CASE n % 10 WHEN 1 THEN (SELECT id FROM sessions WHERE name = 'other') END,
            CASE n % 10 WHEN 1 THEN 'token' || n END
            FROM tasks, generate_series(1, {ROWS - 1}) AS n WHERE number = 0""",
        f"""INSERT INTO log SELECT experiment, n + 1, kind, n, body, at
            FROM log, generate_series(1, {ROWS - 1}) AS n WHERE number = 0""",
        f"""INSERT INTO attempts SELECT (SELECT id FROM experiments), n, 0, 0, 'old' || n, 'failed',
            'w', NULL, 0, 0, NULL, 0 FROM generate_series(1, {ROWS}) AS n""",
        f"""INSERT INTO sessions SELECT 's' || n, 'master', 'm', 'closed', 0, 0, 0
            FROM generate_series(1, {ROWS}) AS n""",
        f"UPDATE experiments SET next_number = {ROWS}, seq = {ROWS}",
    ]
    for statement in run:
        server.execute(statement, database)


def explained(connection: Connection, statement: Statement) -> str:
    """The plan that a store's own connection makes, whatever values come later."""
    names: dict[str, int] = {}

    def place(found: re.Match[str]) -> str:
        return f"${names.setdefault(found[1], len(names) + 1)}"

    text = re.sub(r"%\((\w+)\)s", place, compiled_text(statement, NAMED)).replace("%%", "%")
    connection.execute(f"PREPARE asked AS {text}")
    try:
        values = f"({', '.join(['NULL'] * len(names))})" if names else ""
        rows = connection.execute(f"EXPLAIN (COSTS OFF) EXECUTE asked{values}").fetchall()
    finally:
        connection.execute("DEALLOCATE asked")
    return "\n".join(row[0] for row in rows)


def plan(script: DriverScript, statement: Statement) -> str:
    database = script.store._database
    assert isinstance(database, PostgresDatabase)
    connection = database._pool.take()
    try:
        return explained(connection, statement)
    finally:
        database._pool.give(connection)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (experiment_rows.fence, "experiments_pkey"),
        (experiment_rows.requested_state, "experiments_pkey"),
        (experiment_rows.driver_of, "sessions_pkey"),
        (knowledge_rows.knowledge_of, "knowledge_pkey"),
        (log_rows.entries_after, "log_pkey"),
        (trial_rows.update_trial, "trials_pkey"),
        (trial_rows.trials_from, "trials_pkey"),
        (trial_rows.attempts_from, "attempts_pkey"),
        (trial_rows.result_of, "attempts_pkey"),
        (task_rows.finish, "tasks_pkey"),
        (task_rows.held_task, "tasks_pkey"),
        (task_rows.put_back, "tasks_pkey"),
        (task_rows.lease, "tasks_pkey"),
        (task_rows.adopt, "tasks_pkey"),
        (task_rows.give_back, "tasks_pkey"),
        (task_rows.drop_segments, "tasks_pkey"),
        (task_rows.held_by, "tasks_pkey"),
        (task_rows.end_held, "tasks_pkey"),
        (task_rows.ended_of, "tasks_pkey"),
        (session_rows.tasks_held, "ix_tasks_held"),
        (task_rows.hand_over, "ix_tasks_held"),
        (task_rows.claimed_trial, "trials_pkey"),
        (task_rows.leased_of, "tasks_pkey"),
        (task_rows.claimed_trial, "ix_artifacts_experiment_number_step"),
        (task_rows.ready_of_class, "ix_tasks_ready"),
        (task_rows.open_classes, "ix_tasks_ready"),
        (task_rows.wake_due, "ix_tasks_due"),
        (task_rows.requeue, "ix_tasks_held"),
        (task_rows.give_all_back, "ix_tasks_held"),
        (mail_rows.mail_of, "ix_mail_experiment"),
        (mail_rows.drop_mail_of_token, "ix_mail_token"),
        (session_rows.renew, "sessions_pkey"),
        (session_rows.is_live, "sessions_pkey"),
        (session_rows.live_sessions, "ix_sessions_live"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_hot_statement_walks_its_index(
    script: DriverScript, statement: Statement, index: str
) -> None:
    found = plan(script, statement)
    assert re.search(rf"using {index}\b|on {index}\b", found), found
    assert not re.search(r"Seq Scan on (tasks|trials|log|attempts|sessions|mail)\b", found), found


def test_claim_of_one_class_is_ordered_by_its_index(script: DriverScript) -> None:
    """No sort: the walk stops after the limit, whatever else waits in the class."""
    found = plan(script, task_rows.ready_of_class)
    assert "Sort" not in found, found
    assert re.search(r"Index Cond: \(class = ", found), found


def test_due_tasks_are_reached_by_their_keys(script: DriverScript) -> None:
    found = plan(script, task_rows.wake_due)
    assert re.search(r"Index Cond: \(due_at <= ", found), found
    assert "Hash Join" not in found, found
    assert re.search(r"Index Scan using tasks_pkey on tasks\b", found), found


def test_claim_finds_its_own_behind_99_900_other_tasks(script: DriverScript) -> None:
    store, right = script.store, script.right
    for _ in range(10):
        claimed = store.claim(right.experiment, right.session, 4, Capacity().could)
        assert [task.to_epoch for task in claimed] == [3] * 4
