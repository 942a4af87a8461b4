"""Trials that pause on one worker and go on, from their checkpoints, on another one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson
import pytest
from tests.integration.engines.remote.scripted import eventually
from tests.integration.engines.remote.worker_processes import HERE, WorkerProcess, Workers
from tests.integration.master.cluster.masters import LONG_S, SPACE, Site

import morphml as mm
from morphml.search.changes import TrialRecord
from morphml.search.experiment import ExperimentState, TrialState
from morphml.search.log import EntryKind

RUNGS = (1, 3, 9)
TRIALS = 16


def trained(worker: WorkerProcess) -> list[tuple[int, int]]:
    """Trial and epoch of what a worker trained."""
    rows = [line.split() for line in worker.tally.read_text().splitlines()]
    return [(int(number), int(word.partition("-")[2])) for word, number, *_ in rows]


def test_promoted_trials_go_on_at_another_worker(
    alone: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    master = alone.master("only")
    workers = Workers(tmp_path)
    first = workers.start(master.port, slots=1)
    with mm.Experiment.create(
        SPACE,
        "remote_training:by_epochs_two_at_first",
        storage=alone.storage,
        engine="remote",
        optimizer="asha",
        trials=9,
        max_epochs=9,
        objectives={"score": "max"},
    ) as experiment:
        experiment.submit()
        eventually(lambda: len(alone.attempts(experiment.id)) >= 2, LONG_S, "two trials at a rung")
        experiment.stop()
        alone.await_state(experiment.id, ExperimentState.PAUSED)
        first.process.kill()
        first.wait()
        before = trained(first)
        (tmp_path / "go").touch()
        waiting = [r for r in experiment.result().records if r.state is TrialState.PAUSED]
        assert {record.epochs for record in waiting} <= set(RUNGS)
        second = workers.start(master.port, slots=1)
        try:
            experiment.submit()
            alone.await_state(experiment.id, ExperimentState.COMPLETED)
        finally:
            second.process.kill()
            second.wait()
        records = experiment.result().records
    # The weights of the trial that came furthest were trained on two machines.
    (best,) = [record for record in records if record.state is TrialState.COMPLETED]
    assert best.metrics["score"] == best.epochs == 9
    assert Counter(record.epochs for record in records) == {1: 6, 3: 2, 9: 1}
    after = trained(second)
    there = {number for number, epoch in after if epoch > 1} & {number for number, _ in before}
    assert there
    again = set(before) & set(after)
    # Only what ran when the first worker was killed may have been trained again.
    assert len({number for number, _ in again}) <= 1
    assert set(before) | set(after) == {
        (record.number, epoch) for record in records for epoch in range(1, record.epochs + 1)
    }


def test_workers_end_trials_that_fall_behind_soon_after_their_report(
    alone: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    master = alone.master("only")
    workers = Workers(tmp_path)
    staff = [workers.start(master.port, slots=1) for _ in range(2)]
    try:
        eventually(lambda: master.hub.slots() == len(staff), LONG_S, "both workers")
        for rule in ("asha_stopping", "median"):
            before = [trained(worker) if worker.tally.exists() else [] for worker in staff]
            records, ordered = stopping(alone, rule)
            parts = [trained(worker)[len(old) :] for worker, old in zip(staff, before, strict=True)]
            check_stops(records, ordered, parts)
    finally:
        for worker in staff:
            worker.process.kill()
            worker.wait()


def stopping(alone: Site, rule: str) -> tuple[list[TrialRecord], dict[int, int]]:
    """Trials of a search that stops some, and the epoch whose report brought the order to each."""
    with mm.Experiment.create(
        SPACE,
        "remote_evaluators:judged",
        storage=alone.storage,
        engine="remote",
        optimizer="random",
        fidelity=rule,
        trials=TRIALS,
        max_epochs=9,
        objectives={"score": "max"},
    ) as experiment:
        experiment.submit()
        alone.await_state(experiment.id, ExperimentState.COMPLETED)
        ordered = {
            entry.number: orjson.loads(entry.body)["step"]
            for entry in experiment.store.log(experiment.id)
            if entry.kind is EntryKind.REPORTED and "order" in orjson.loads(entry.body)
        }
        return list(experiment.result().records), ordered


def check_stops(
    records: list[TrialRecord], ordered: dict[int, int], parts: list[list[tuple[int, int]]]
) -> None:
    """What the evaluators counted themselves agrees with the orders."""
    assert all(parts), "both workers took part"
    rows = [row for part in parts for row in part]
    assert len(rows) == len(set(rows)), "no epoch is trained twice"
    epochs = Counter(number for number, _ in rows)
    pruned = {record.number for record in records if record.state is TrialState.PRUNED}
    assert len(records) == len(epochs) == TRIALS
    assert 3 <= len(pruned) < TRIALS
    assert {epochs[number] for number in set(epochs) - pruned} == {9}
    # Nobody waits for the answer to a report: on a busy machine some epochs of 50 ms may begin
    # before it comes, but not all that were left.
    assert pruned <= set(ordered)
    assert all(epochs[number] - ordered[number] in range(6) for number in pruned)
    assert all(epochs[record.number] >= record.epochs for record in records)
    assert sum(epochs.values()) < TRIALS * 9 * 0.8
