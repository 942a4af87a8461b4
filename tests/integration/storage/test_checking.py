"""What `check_store` finds, on both kinds of store, and that it finds nothing in a sound one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from morphml.storage import SqlStore, open_store
from morphml.storage.address import is_url
from morphml.storage.checking import Finding, check_store
from morphml.storage.statements import check_rows
from morphml.testing.store.job_script import job
from morphml.testing.store_contract import Ask, DriverScript, sample_spec


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "store.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def script(place: str) -> Iterator[DriverScript]:
    """Trials of all kinds: ended, running, retried, paused, promoted, waiting."""
    with contextlib.closing(open_store(place)) as store:
        script = DriverScript(
            store, store.create_experiment(sample_spec()), store.open_session("one")
        )
        told, paused, promoted, retried, _ = script.ask(5)
        script.tell(told)
        for handed in (paused, promoted):
            script.checkpoint(handed, step=1)
            script.pause(handed)
        script.promote(promoted, segment=1)
        script.retry(retried)
        script.cancel(script.ask()[0])
        script.ask(2, Ask(leased=False))
        yield script


def spoil(place: str, statement: str) -> None:
    """Change rows behind the store's back."""
    if is_url(place):
        with psycopg.connect(place, autocommit=True) as server:
            server.execute(statement.encode())
        return
    with contextlib.closing(sqlite3.connect(place)) as file, file:
        file.execute(statement)


def found(store: SqlStore, files: Path | None = None) -> list[Finding]:
    return check_store(store._database, files)


def test_nothing_is_found_in_a_sound_store(script: DriverScript) -> None:
    assert found(script.store) == []


@pytest.mark.parametrize(
    ("statement", "check", "number"),
    [
        ("DELETE FROM log WHERE seq = 3", "log", None),
        ("UPDATE experiments SET seq = seq + 1", "log", None),
        ("UPDATE experiments SET next_number = next_number + 1", "numbers", None),
        ("UPDATE experiments SET budget = 2", "budget", None),
        ("DELETE FROM tasks WHERE number = 4", "trial", 4),
        ("UPDATE trials SET state = 'completed' WHERE number = 4", "task", 4),
        ("UPDATE sessions SET state = 'expired'", "holder", 4),
        ("UPDATE attempts SET number = 99 WHERE number = 0", "attempt", 99),
    ],
)
def test_damage_is_found(
    script: DriverScript, place: str, statement: str, check: str, number: int | None
) -> None:
    spoil(place, statement)
    (finding,) = found(script.store)
    assert (finding.check, finding.number) == (check, number)
    assert finding.experiment == script.right.experiment
    assert finding.text


def test_missing_trial_is_found_with_what_belongs_to_it(script: DriverScript, place: str) -> None:
    spoil(place, "DELETE FROM trials WHERE number = 6")
    assert [(one.check, one.number) for one in found(script.store)] == [
        ("numbers", None),
        ("task", 6),
    ]


def test_checkpoints_that_are_needed_must_be_there(script: DriverScript, tmp_path: Path) -> None:
    files = tmp_path / "files"
    assert [(one.check, one.number) for one in found(script.store, files)] == [
        ("file", 1),
        ("file", 2),
    ]
    with script.store._database.reading() as run:
        needed = run.rows(check_rows.artifacts_needed, {})
    for experiment, _, key, size in needed:
        path = files / experiment / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    assert found(script.store, files) == []
    path.write_bytes(b"")
    (finding,) = found(script.store, files)
    assert "0 bytes instead of" in finding.text


@pytest.mark.parametrize(
    ("statement", "check", "number"),
    [
        ("UPDATE executions SET unfinished = unfinished + 1", "jobs", None),
        ("DELETE FROM execution_events WHERE seq = 2", "events", None),
        ("DELETE FROM tasks WHERE kind = 'job'", "job", 16384),
        ("UPDATE jobs SET state = 'waiting' WHERE number = 16384", "task", 16384),
    ],
)
def test_damage_to_an_execution_is_found(
    place: str, statement: str, check: str, number: int | None
) -> None:
    with contextlib.closing(open_store(place)) as store:
        jobs = [job("whole", forEach=[1]), job("last", "whole")]
        execution = store.workflows.running.start({"workflowId": "w", "jobs": jobs}, None)
        assert found(store) == []
        spoil(place, statement)
        (finding,) = found(store)
        assert (finding.check, finding.number, finding.experiment) == (check, number, execution)
        assert finding.text
