"""Ask and tell by hand when something goes wrong: memory never runs ahead of the store for long."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import morphml as mm
from morphml.errors import EvaluatorError, StorageError
from morphml.master import Experiment, replay

GRID = mm.SearchSpace(decisions={"a": mm.integer(0, 9), "b": mm.integer(0, 9)})


@contextmanager
def refusing_writes(experiment: Experiment) -> Iterator[None]:
    """Every commit fails, as on a full disk."""
    turn = experiment.store._database._write
    turn._connection.execute("PRAGMA query_only = 1")
    try:
        yield
    finally:
        turn._connection.execute("PRAGMA query_only = 0")


def made(path: Path, trials: int = 4) -> Experiment:
    return Experiment.create(
        GRID, None, storage=path, objectives={"loss": "min"}, trials=trials, optimizer="evolution"
    )


def test_refused_metrics_can_be_told_again(tmp_path: Path) -> None:
    with made(tmp_path / "s.db") as experiment:
        trial = experiment.ask()
        assert trial is not None
        for wrong in (math.nan, {"accuracy": 1.0}, "best"):
            with pytest.raises(EvaluatorError):
                experiment.tell(trial.number, wrong)
        experiment.tell(trial.number, 3.0)
        assert experiment.result().counts == {"completed": 1}
        assert repr(experiment.result()).startswith("<Result 'by_hand': 1 trial, best #0")


def test_ask_after_the_end_says_so_again_and_again(tmp_path: Path) -> None:
    with made(tmp_path / "s.db", trials=2) as experiment:
        while (trial := experiment.ask()) is not None:
            experiment.tell(trial.number, 1.0)
        assert experiment.record.state == "completed"
        assert experiment.ask() is None
        assert experiment.ask() is None
        assert experiment.record.reason == "budget of trials spent"


def test_last_tell_completes_the_experiment(tmp_path: Path) -> None:
    with made(tmp_path / "s.db", trials=2) as experiment:
        first, second = experiment.ask(), experiment.ask()
        assert first is not None
        assert second is not None
        assert experiment.ask() is None
        experiment.tell(first.number, 1.0)
        assert experiment.record.state == "running"
        experiment.tell(second.number, 2.0)
        assert experiment.record.state == "completed"


def test_larger_budget_is_seen_by_the_next_ask(tmp_path: Path) -> None:
    with made(tmp_path / "s.db", trials=1) as experiment:
        trial = experiment.ask()
        assert trial is not None
        experiment.extend(2)
        second = experiment.ask()
        assert second is not None
        experiment.tell(trial.number, 1.0)
        experiment.tell(second.number, 1.0)
        assert experiment.ask() is None
        experiment.extend(3)
        third = experiment.ask()
        assert third is not None
        assert third.number == 2


def test_ask_that_the_store_refused_is_asked_again_with_the_same_number(tmp_path: Path) -> None:
    with made(tmp_path / "s.db") as experiment:
        first = experiment.ask()
        assert first is not None
        with refusing_writes(experiment), pytest.raises(StorageError):
            experiment.ask()
        again = experiment.ask()
        assert again is not None
        assert again.number == 1
        experiment.tell(first.number, 1.0)
        experiment.tell(again.number, 2.0)
        assert replay(experiment).passed
        assert experiment.result().counts == {"completed": 2}


def test_tell_that_the_store_refused_can_be_told_again(tmp_path: Path) -> None:
    with made(tmp_path / "s.db") as experiment:
        first = experiment.ask()
        assert first is not None
        with refusing_writes(experiment), pytest.raises(StorageError):
            experiment.tell(first.number, 1.0)
        experiment.tell(first.number, 1.0)
        second = experiment.ask()
        assert second is not None
        assert second.number == 1
        assert replay(experiment).passed
        attempts = list(experiment.store.attempts(experiment.id))
    assert [(a.number, a.result) for a in attempts] == [(0, "succeeded")]


def test_run_takes_over_what_was_asked_by_hand(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        return float(trial.number)

    path = tmp_path / "s.db"
    with Experiment.create(
        GRID, evaluate, storage=path, objectives={"loss": "min"}, trials=5, workers=0
    ) as experiment:
        first, second = experiment.ask(), experiment.ask()
        assert first is not None
        assert second is not None
        experiment.tell(second.number, 7.0)
        result = experiment.run()
    assert result.counts == {"completed": 5}
    assert [record.metrics["loss"] for record in result.records] == [0.0, 7.0, 2.0, 3.0, 4.0]


def test_store_of_a_closed_experiment_holds_what_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with made(path) as experiment:
        assert experiment.ask() is not None
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT state, holder FROM tasks").fetchall()
    assert rows == [("pending", None)]
