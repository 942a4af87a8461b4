"""Plans and costs of the statements on the hot paths, with 100,000 rows in the way."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from morphml.scheduling.resources import Capacity
from morphml.search.changes import Changes
from morphml.storage import SqlStore, open_store
from morphml.storage.expressions import Statement
from morphml.storage.statements import (
    experiment_rows,
    knowledge_rows,
    log_rows,
    mail_rows,
    order_rows,
    session_rows,
    task_rows,
    trial_rows,
)
from morphml.testing.store_contract import Ask, DriverScript, sample_spec

ROWS = 100_000


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DriverScript]:
    """100,000 trials: most wait for a worker with much memory, some wait for a later hour."""
    path: Path = tmp_path_factory.mktemp("plans") / "store.db"
    with contextlib.closing(open_store(path)) as store:
        script = seeded(store, path)
        yield script


def seeded(store: SqlStore, path: Path) -> DriverScript:
    experiment = store.create_experiment(sample_spec())
    store.cluster.submit(experiment)
    session = store.open_session("one")
    script = DriverScript(store, experiment, session)
    script.ask(1, Ask(leased=False, rank=-1.0, requirements={"high-memory": 1.0}))
    script.ask(1, Ask(leased=False, rank=-2.0, ready_at=time.time() + 86_400.0))
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        copy_trial(connection, 0, range(2, ROWS * 9 // 10))
        copy_trial(connection, 1, range(ROWS * 9 // 10, ROWS - 100))
        connection.execute("UPDATE experiments SET next_number = ?1, seq = ?1", (ROWS - 100,))
    script = DriverScript(store, experiment, session)
    script.ask(100, Ask(leased=False, rank=5.0))
    return script


def copy_trial(connection: sqlite3.Connection, number: int, numbers: range) -> None:
    """Copies of a trial, its task and its entry in the log, under other numbers."""
    changes = {
        "trials": {"number": "n", "point_id": "'p' || n"},
        "tasks": {"number": "n", "id": "owner || '-' || n || '-0'"},
        "log": {"number": "n", "seq": "n + 1"},
    }
    for table, changed in changes.items():
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        values = ", ".join(changed.get(name, name) for name in names)
        connection.execute(
            f"""WITH RECURSIVE ours(n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM ours WHERE n < ?2)
                INSERT INTO {table} ({", ".join(names)})
                SELECT {values}
                FROM (SELECT * FROM {table} WHERE number = ?3 LIMIT 1) CROSS JOIN ours""",
            (numbers.start, numbers.stop - 1, number),
        )


def plan(script: DriverScript, statement: Statement) -> str:
    turn = script.store._database.writing()
    text = turn._transaction._texts[statement]
    values = dict.fromkeys(re.findall(r":(\w+)", text), 1)
    rows = turn._connection.execute(f"EXPLAIN QUERY PLAN {text}", values).fetchall()
    return " | ".join(row[3] for row in rows)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (experiment_rows.fence, "experiments USING PRIMARY KEY"),
        (experiment_rows.requested_state, "experiments USING PRIMARY KEY"),
        (experiment_rows.driver_of, "sessions USING PRIMARY KEY"),
        (knowledge_rows.knowledge_of, r"knowledge USING PRIMARY KEY \(topic=\? AND key=\?\)"),
        (log_rows.entries_after, r"log USING PRIMARY KEY \(experiment=\? AND seq>\?\)"),
        (trial_rows.update_trial, r"trials USING PRIMARY KEY \(experiment=\? AND number=\?\)"),
        (trial_rows.trials_from, r"trials USING PRIMARY KEY \(experiment=\? AND number>\?\)"),
        (trial_rows.attempts_from, r"attempts USING PRIMARY KEY \(owner=\? AND .*number"),
        (trial_rows.result_of, r"attempts USING PRIMARY KEY \(owner=\? AND number=\?\)"),
        (task_rows.finish, r"tasks USING PRIMARY KEY \(owner=\? AND number=\?\)"),
        (task_rows.put_back, r"tasks USING PRIMARY KEY \(owner=\? AND number=\?\)"),
        (task_rows.lease, r"tasks USING PRIMARY KEY \(owner=\? AND number=\? AND segment=\?\)"),
        (task_rows.adopt, r"tasks USING PRIMARY KEY \(owner=\? AND number=\?\)"),
        (task_rows.ready_of_class, r"tasks USING (COVERING )?INDEX ix_tasks_ready \(class=\?\)"),
        (task_rows.wake_due, r"due USING (COVERING )?INDEX ix_tasks_due \(due_at<\?\)"),
        (task_rows.requeue, r"tasks USING (COVERING )?INDEX ix_tasks_held \(holder=\?\)"),
        (task_rows.give_all_back, r"tasks USING (COVERING )?INDEX ix_tasks_held \(holder=\?\)"),
        (
            task_rows.drop_segments,
            r"tasks USING PRIMARY KEY \(owner=\? AND number=\? AND segment<\?\)",
        ),
        (task_rows.held_task, r"tasks USING PRIMARY KEY \(owner=\? AND number=\?\)"),
        (task_rows.leased_of, r"tasks USING PRIMARY KEY \(owner=\?\)"),
        (task_rows.claimed_trial, r"ix_artifacts_experiment_number_step"),
        (task_rows.open_classes, r"experiments USING INDEX ix_experiments_open \(state=\?\)"),
        (task_rows.open_classes, r"tasks USING (COVERING )?INDEX ix_tasks_ready \(class=\?\)"),
        (task_rows.held_by, r"tasks USING .*\(.*owner=\? AND number=\?\)"),
        (task_rows.end_held, r"tasks USING .*\(.*owner=\? AND number=\?\)"),
        (task_rows.ended_of, r"tasks USING PRIMARY KEY \(owner=\? AND number=\?\)"),
        (task_rows.unfinished_of, r"tasks USING PRIMARY KEY \(owner=\?\)"),
        (task_rows.under_way_of, r"tasks USING PRIMARY KEY \(owner=\?\)"),
        (session_rows.tasks_held, r"tasks USING (COVERING )?INDEX ix_tasks_held \(holder=\?\)"),
        (task_rows.hand_over, r"tasks USING (COVERING )?INDEX ix_tasks_held \(holder=\?\)"),
        (mail_rows.mail_of, r"mail USING INDEX ix_mail_experiment \(experiment=\?\)"),
        (mail_rows.drop_mail_of_token, r"mail USING COVERING INDEX ix_mail_token"),
        (order_rows.orders_for, r"tasks USING .*\(.*owner=\? AND number=\?\)"),
        (
            order_rows.drop_orders_without_attempt,
            r"tasks USING PRIMARY KEY \(owner=\? AND number=\?\)",
        ),
        (experiment_rows.drivable, r"experiments USING INDEX ix_experiments_open \(state=\?\)"),
        (experiment_rows.driven, r"experiments USING INDEX ix_experiments_open \(state=\?\)"),
        (session_rows.renew, r"sessions USING PRIMARY KEY \(id=\?\)"),
        (session_rows.live_sessions, r"sessions USING INDEX ix_sessions_live"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_hot_statement_walks_its_index(
    script: DriverScript, statement: Statement, index: str
) -> None:
    found = plan(script, statement)
    assert re.search(index, found), found
    assert "SCAN tasks" not in found
    assert "SCAN trials" not in found
    assert "SCAN log" not in found


def test_claim_of_one_class_is_ordered_by_its_index(script: DriverScript) -> None:
    """No sort: the walk stops after the limit, whatever else waits in the class."""
    assert "TEMP B-TREE" not in plan(script, task_rows.ready_of_class)


def test_claim_behind_99_900_other_tasks_takes_milliseconds(script: DriverScript) -> None:
    store, right = script.store, script.right
    costs = []
    for _ in range(10):
        start = time.process_time()
        claimed = store.claim(right.experiment, right.session, 4, Capacity().could)
        costs.append(time.process_time() - start)
        assert [task.to_epoch for task in claimed] == [3] * 4
    assert sorted(costs)[5] < 0.005, costs


def test_claim_for_others_behind_99_900_other_tasks_takes_milliseconds(
    script: DriverScript,
) -> None:
    store, right = script.store, script.right
    costs = []
    for _ in range(10):
        start = time.process_time()
        claimed = store.cluster.claim_any(right.session, 4, Capacity().could)
        costs.append(time.process_time() - start)
        assert [task.to_epoch for task in claimed] == [3] * 4
        assert all(task.requirements == {} for task in claimed)
    assert sorted(costs)[5] < 0.005, costs


def test_commit_beside_100_000_rows_takes_milliseconds(script: DriverScript) -> None:
    costs = []
    handed = script.ask()[0]
    for _ in range(200):
        start = time.process_time()
        script.tell(handed)
        handed = script.ask()[0]
        costs.append(time.process_time() - start)
    assert sorted(costs)[100] < 0.003, sorted(costs)[100]


def test_renewal_beside_100_000_rows_takes_milliseconds(script: DriverScript) -> None:
    costs = []
    for _ in range(50):
        start = time.process_time()
        assert script.store.renew_session(script.right.session)
        costs.append(time.process_time() - start)
    assert sorted(costs)[25] < 0.003


def test_empty_commit_writes_one_row(script: DriverScript) -> None:
    connection: sqlite3.Connection = script.store._database.writing()._connection
    before = connection.total_changes
    script.commit(Changes())
    assert connection.total_changes - before == 1
