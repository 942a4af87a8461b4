"""Workers with sessions of their own, answers under a key, and deletion, on every kind of store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from morphml.errors import ExperimentError, UnknownExperiment, UnknownWorker, WorkerError
from morphml.scheduling.worker import WorkerState
from morphml.search.experiment import ExperimentState
from morphml.storage import SqlStore, open_store
from morphml.storage.cluster import WorkerRow
from morphml.testing.store.script import sample_spec

ROW = WorkerRow(id="w", name="host", state=WorkerState.IDLE, offers={"cpu": 2.0}, joined_at=0.0)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    path = str(tmp_path / "a.db")
    url = path if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = open_store(url)
    yield opened
    opened.close()


def test_rest_worker_lives_by_its_heartbeat_and_one_incarnation_at_a_time(store: SqlStore) -> None:
    workers = store.cluster.rest_workers
    first = workers.register(ROW, 30.0)
    assert (first.row.incarnation, first.session) == (1, workers.find("w").session)
    beat = workers.beat("w", {"running": 2}, 1)
    assert (beat.row.state, beat.row.figures["running"]) == (WorkerState.BUSY, 2)
    assert list(workers.living()) == [first.session]
    store.cluster.workers.drain(["w"], None)
    assert (workers.beat("w", {}).row.state, workers.living()) == (WorkerState.DRAINING, {})
    second = workers.register(ROW, 30.0)
    assert (second.row.incarnation, workers.find("w").row.drains) == (2, False)
    assert second.session != first.session
    with pytest.raises(UnknownWorker, match="2 took its place"):
        workers.beat("w", {}, 1)
    assert [row.live for row in store.cluster.workers.all()] == [True]
    assert store.cluster.masters() == []
    workers.leave("w")
    with pytest.raises(UnknownWorker):
        workers.find("w")
    assert [(row.live, row.state) for row in store.cluster.workers.all()] == [
        (False, WorkerState.GONE)
    ]


def test_rest_worker_outlives_the_masters_and_takes_no_worker_of_theirs(store: SqlStore) -> None:
    workers = store.cluster.rest_workers
    worker = workers.register(ROW, 30.0)
    master = store.open_session("master")
    assert workers.find("w").session == worker.session
    store.cluster.workers.put(master, [WorkerRow(**{**as_fields(ROW), "id": "theirs"})])
    with pytest.raises(WorkerError, match="a master has a worker of this id"):
        workers.register(WorkerRow(**{**as_fields(ROW), "id": "theirs"}), 30.0)
    store.close_session(master)
    assert workers.register(WorkerRow(**{**as_fields(ROW), "id": "theirs"}), 30.0).session
    assert workers.find("w").session == worker.session


def as_fields(row: WorkerRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in ("id", "name", "state", "offers", "joined_at")}


def test_answer_is_begun_by_one_of_many_and_told_to_the_others(store: SqlStore) -> None:
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(store.answers.begin("key", "asked")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count(None) == 1
    assert {known.answer for known in found if known is not None} == {None}
    store.answers.end("key", {"id": "x"})
    known = store.answers.begin("key", "other")
    assert known is not None
    assert (known.asked, known.answer) == ("asked", {"id": "x"})
    store.answers.forget("key")
    assert store.answers.begin("key", "other") is None


def test_experiment_that_nobody_works_on_is_deleted_whole(store: SqlStore) -> None:
    kept, gone = store.create_experiment(sample_spec()), store.create_experiment(sample_spec())
    store.cluster.submit(gone)
    with pytest.raises(ExperimentError, match="pause it"):
        store.remove_experiment(gone)
    store.set_state(gone, ExperimentState.PAUSED, "")
    store.remove_experiment(gone)
    assert [record.id for record in store.experiments()] == [kept]
    with pytest.raises(UnknownExperiment):
        store.remove_experiment(gone)
