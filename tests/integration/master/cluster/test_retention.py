"""Executions are forgotten a week after their end, by any master, with all that belongs to them."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import eventually
from tests.integration.engines.remote.worker_processes import HERE, Workers
from tests.integration.master.cluster.masters import LONG_S, Site

from morphml.master.workflows import Executions
from morphml.workflow import ExecutionState

DAY_S = 86_400.0
DOCUMENT = {
    "workflowId": "files",
    "jobs": [
        {
            "id": "write",
            "type": "python",
            "config": {"function": "remote_jobs:write", "size": 1_000},
        },
        {"id": "say", "type": "shell", "config": {"command": ["echo", "hello"]}},
    ],
}


def rows_of(store: str, execution: str) -> dict[str, int]:
    """How many rows of each table name an execution, in whatever column."""
    found = {}
    with contextlib.closing(sqlite3.connect(store)) as base:
        tables = base.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        for (table,) in tables:
            columns = [row[1] for row in base.execute(f"PRAGMA table_info({table})")]
            where = " OR ".join(f'"{column}" = ?' for column in columns)
            values = [execution] * len(columns)
            [(count,)] = base.execute(f"SELECT count(*) FROM {table} WHERE {where}", values)
            if count:
                found[table] = count
    return found


def end_earlier(store: str, execution: str, seconds: float) -> None:
    """Let an execution have ended so much longer ago."""
    with contextlib.closing(sqlite3.connect(store)) as base, base:
        change = "UPDATE executions SET ended_at = ended_at - ? WHERE id = ?"
        assert base.execute(change, [seconds, execution]).rowcount == 1


def test_master_forgets_what_ended_a_week_ago_and_what_it_is_told_to(
    alone: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    files = alone.folder / "first"
    executions = Executions(alone.store)
    worker = Workers(tmp_path).start(alone.master("first").port, slots=2)
    try:
        made = [executions.start(DOCUMENT).id for _ in range(3)]
        for id in made:
            eventually(lambda id=id: executions.show(id).state.ended, 2 * LONG_S, "the end")
    finally:
        worker.process.kill()
        worker.process.wait()
    alone.stack.close()  # a master forgets at its start, and every ten minutes
    old, younger, new = made
    assert [executions.show(id).state for id in made] == [ExecutionState.COMPLETED] * 3
    for id in made:
        assert list((files / id / "artifacts").rglob("numbers.bin"))
        assert executions.logs(id, "say")[0].text == "hello\n"
        assert len(rows_of(alone.storage, id)) >= 5
    end_earlier(alone.storage, old, 7 * DAY_S)
    end_earlier(alone.storage, younger, 7 * DAY_S - 3_600.0)

    def stored() -> set[str]:
        return {each.id for each in executions.list().items}

    alone.master("first")
    eventually(lambda: not (files / old).exists(), LONG_S, "the oldest is forgotten")
    alone.stack.close()
    assert stored() == {younger, new}
    assert rows_of(alone.storage, old) == {}
    assert list((files / younger / "artifacts").rglob("numbers.bin"))
    alone.master("first", keep_executions_s=3_600.0)
    eventually(lambda: not (files / younger).exists(), LONG_S, "the next is forgotten")
    assert stored() == {new}
    assert rows_of(alone.storage, younger) == {}
    assert list((files / new / "artifacts").rglob("numbers.bin"))
