"""How often a driver's transaction waits for the server: each wait costs a busy machine much."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from morphml.search.changes import Changes
from morphml.storage import SqlStore, open_store
from morphml.testing.store_contract import Ask, DriverScript, Handed, sample_spec

#: What lets a server send what it has so far; until then it keeps its answers.
LETS_ANSWER = re.compile(r"\tF\t\d+\t(Flush|Sync)\b")


def turn(script: DriverScript, over: Sequence[Handed]) -> tuple[Changes, list[Handed]]:
    """A driver's turn: results, and as many new trials."""
    told = [script.telling(handed) for handed in over]
    asked, handed = script.asking(len(over), Ask())
    entries = [*(each.entries[0] for each in told), *asked.entries]
    changes = replace(
        asked,
        ended=tuple(each.ended[0] for each in told),
        updates=tuple(each.updates[0] for each in told),
        entries=tuple(e._replace(seq=n) for n, e in enumerate(entries, start=script.seq + 1)),
    )
    return changes, handed


def waits(store: SqlStore, script: DriverScript, changes: Changes, file: Path) -> int:
    """How often storing the changes waits for the server, as libpq's own trace tells."""
    idle = store._database._pool._idle  # type: ignore[attr-defined]  # this store is PostgreSQL's
    (connection,) = idle
    with file.open("wb") as trace:
        connection.pgconn.trace(trace.fileno())
        script.commit(changes)
        connection.pgconn.untrace()
    assert list(idle) == [connection], "another connection was used"
    sent = LETS_ANSWER.findall(file.read_text())
    # After the last sync psycopg flushes as well, unless the answers are there by then.
    return sum((before, kind) != ("Sync", "Flush") for before, kind in pairwise(["", *sent]))


@pytest.mark.parametrize("results", [1, 8])
def test_results_and_new_trials_are_stored_in_two_round_trips(
    results: int, postgres_url: str, tmp_path: Path
) -> None:
    with contextlib.closing(open_store(postgres_url)) as store:
        experiment = store.create_experiment(sample_spec())
        script = DriverScript(store, experiment, store.open_session("one"))
        changes, more = turn(script, script.ask(results))
        script.commit(changes)  # prepares the statements, which is told to the server once
        changes, _ = turn(script, more)
        assert waits(store, script, changes, tmp_path / "wire") == 2
        assert len(list(store.attempts(experiment))) == 2 * results


def test_new_trials_alone_are_stored_in_two_round_trips(postgres_url: str, tmp_path: Path) -> None:
    with contextlib.closing(open_store(postgres_url)) as store:
        experiment = store.create_experiment(sample_spec())
        script = DriverScript(store, experiment, store.open_session("one"))
        script.ask(8)
        changes, _ = script.asking(8, Ask())
        assert waits(store, script, changes, tmp_path / "wire") == 2
