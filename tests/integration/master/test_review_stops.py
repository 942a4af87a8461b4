"""Ends that nobody wishes for: time budgets, own pauses, vanished evaluators, other slot counts."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import morphml as mm
from morphml.errors import EvaluatorError
from morphml.master import Experiment, replay
from morphml.search.log import EntryKind

GRID = mm.SearchSpace(decisions={"a": mm.integer(0, 9), "b": mm.integer(0, 9)})


def test_time_budget_stops_trials_whose_reports_lack_the_objective(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        for epoch in trial.epochs(10_000):
            trial.report(epoch, loss=1.0 / epoch)
            time.sleep(0.02)
        return {"accuracy": 1.0}

    result = mm.search(
        GRID, evaluate, trials=50, max_epochs=10_000, timeout=4.0, workers=2,
        storage=tmp_path / "s.db",
    )  # fmt: skip
    assert result.reason == "time budget spent"
    assert result.counts == {"cancelled": 2}
    with Experiment.open(tmp_path / "s.db") as experiment:
        kinds = Counter(entry.kind for entry in experiment.store.log(experiment.id))
        assert replay(experiment).passed
    # Stopped before there was a value: nothing that an optimizer could hold against it.
    assert kinds[EntryKind.CANCELLED] == 2
    assert kinds[EntryKind.TOLD] == 0


def test_spent_time_budget_does_not_wait_for_trials_that_never_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MORPHML_STOP_GRACE", "3")

    def evaluate(arch, trial):
        if trial.number == 0:
            return 1.0
        if trial.number % 2:
            trial.report(1, accuracy=0.5)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if trial.number % 2 and trial.should_stop():
                return 0.75
            time.sleep(0.02)
        return 0.0

    began = time.monotonic()
    result = mm.search(
        GRID, evaluate, trials=50, timeout=7.0, workers=2, storage=tmp_path / "s.db"
    )  # fmt: skip
    assert time.monotonic() - began < 50
    assert result.reason == "time budget spent"
    assert result.record.state == "completed"
    # Who listens is stopped in time and keeps its value; who does not is cancelled.
    assert [r.state.value for r in result.records] == ["completed", "pruned", "cancelled"]
    assert result.records[1].metrics == {"accuracy": 0.75}
    with Experiment.open(tmp_path / "s.db") as experiment:
        assert replay(experiment).passed
        ended = [a.result for a in experiment.store.attempts(experiment.id)]
    assert ended == ["succeeded", "stopped", "cancelled"]


def test_spent_time_budget_asks_for_nothing_more_after_a_resume(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    def evaluate(arch, trial):
        time.sleep(0.1)
        return 1.0

    first = mm.search(GRID, evaluate, trials=50, timeout=1.0, workers=0, storage=path)
    assert first.reason == "time budget spent"
    again = mm.resume(path, trials=60, workers=0)
    assert again.reason == "time budget spent"
    assert len(again.records) == len(first.records)


def test_evaluator_that_pauses_itself_fails_and_does_not_hang_the_search(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        if trial.number == 1:
            raise mm.TrialPaused
        return 1.0

    result = mm.search(GRID, evaluate, trials=3, workers=0, storage=tmp_path / "s.db")
    assert result.counts == {"completed": 2, "failed": 1}
    assert "TrialPaused" in str(result.failures[1]["message"])


@pytest.mark.parametrize("workers", [0, 1])
def test_vanished_evaluator_is_named_and_nothing_is_lost(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / f"my_evaluator_{workers}.py"
    module.write_text("def evaluate(arch, trial):\n    return 1.0\n")
    path = tmp_path / "s.db"
    name = f"my_evaluator_{workers}:evaluate"
    mm.search(GRID, name, trials=3, workers=workers, storage=path)
    module.rename(tmp_path / "elsewhere.py")
    sys.modules.pop(f"my_evaluator_{workers}", None)
    with pytest.raises(EvaluatorError, match=f"my_evaluator_{workers}"):
        mm.resume(path, trials=5, workers=workers)
    with Experiment.open(path, evaluate="elsewhere:evaluate") as experiment:
        assert experiment.record.state == "paused"
        assert f"my_evaluator_{workers}" in experiment.record.reason
        assert experiment.record.next_number == 3
        assert experiment.run(workers).counts == {"completed": 5}


def test_deterministic_history_does_not_depend_on_the_slots_of_a_resume(tmp_path: Path) -> None:
    def history(name: str, slots: list[int]) -> list[tuple[object, ...]]:
        def evaluate(arch, trial):
            time.sleep(0.01 * (trial.number % 3))
            return float((arch.decisions["a"] - 4) ** 2 + arch.decisions["b"])

        budgets = [(k + 1) * 45 // len(slots) for k in range(len(slots))]
        path = tmp_path / name
        with Experiment.create(
            GRID, evaluate, storage=path, objectives={"loss": "min"}, optimizer="evolution",
            optimizer_settings={"population_size": 6, "sample_size": 3}, trials=45, workers=3,
            deterministic=True,
        ) as experiment:  # fmt: skip
            for workers, budget in zip(slots, budgets, strict=True):
                stop_at(experiment, workers, budget)
            assert replay(experiment).passed
            return [(t.number, t.point_id, t.metrics["loss"]) for t in experiment.result().records]

    def stop_at(experiment: Experiment, workers: int, budget: int) -> None:
        def watch(progress):
            if progress.taken >= budget and progress.taken < 45:
                raise StopWatchingError

        if budget >= 45:
            experiment.run(workers)
            return
        with pytest.raises(StopWatchingError):
            experiment.run(workers, watch)

    whole = history("whole.db", [3])
    assert len(whole) == 45
    assert history("in_process.db", [0]) == whole
    assert history("more.db", [4]) == whole


class StopWatchingError(Exception):
    """Leaves a run in the middle, as an error anywhere in it does."""


def test_error_of_an_observer_leaves_a_search_that_can_be_resumed(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    def evaluate(arch, trial):
        time.sleep(0.05)
        return float(trial.number)

    def watch(progress):
        if progress.ended >= 3:
            raise StopWatchingError("enough")

    with pytest.raises(StopWatchingError):
        mm.search(GRID, evaluate, trials=40, workers=2, storage=path, observer=watch)
    with Experiment.open(path) as experiment:
        assert experiment.record.state == "paused"
        assert experiment.record.reason == "StopWatchingError: enough"
    result = mm.resume(path, workers=2)
    assert result.counts == {"completed": 40}
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM tasks").fetchone() == (0,)


def test_failing_then_succeeding_trials_are_no_failed_search(tmp_path: Path) -> None:
    folder = str(tmp_path)

    def evaluate(arch, trial):
        file = os.open(Path(folder) / "calls", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, b".")
        os.close(file)
        if trial.number < 9:
            raise ValueError(trial.number)
        return {"score": 1.0, "latency": 5.0}

    result = mm.search(
        GRID, evaluate, objectives={"score": "max"}, constraints={"latency": "< 1"}, trials=40,
        workers=0, storage=tmp_path / "s.db",
    )  # fmt: skip
    # All that succeeded break the constraint: that is a result, not a failure of the evaluator.
    assert result.counts == {"failed": 9, "completed": 31}
    assert result.record.state == "completed"
    assert (tmp_path / "calls").stat().st_size == 40


@pytest.mark.parametrize("workers", [0, 1])
def test_evaluator_may_use_the_package_as_a_person_imports_it(workers: int, tmp_path: Path) -> None:
    def evaluate(arch, trial):
        trial.report(1, accuracy=float(trial.number))
        if trial.number == 2:
            raise mm.TrialStopped
        return 0.5

    path = tmp_path / "s.db"
    mm.search(GRID, evaluate, trials=3, workers=workers, storage=path)
    result = mm.resume(path, trials=4, workers=workers)
    assert result.counts == {"completed": 3, "pruned": 1}
    assert result.records[2].metrics["accuracy"] == 2.0
