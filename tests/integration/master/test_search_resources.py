"""Searches on this machine whose trials need GPUs: how many run at a time, and what each sees."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

import morphml as mm
from morphml.master.resources import local_workers

SPACE = mm.SearchSpace(decisions={"x": mm.integer(0, 10_000)})


@pytest.fixture(autouse=True)
def _two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two GPUs are declared, as a batch system does it; nothing here uses them."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,7")
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)


def busiest(notes: Path) -> tuple[Counter[str], dict[str, int]]:
    """Trials by what they saw, and the most that ran at a time on each."""
    lies: Counter[str] = Counter()
    most: dict[str, int] = {}
    trials: Counter[str] = Counter()
    for _, change, seen in sorted(line.split() for line in notes.read_text().splitlines()):
        lies[seen] += int(change)
        trials[seen] += change == "+1"
        most[seen] = max(most.get(seen, 0), lies[seen])
    return trials, most


@pytest.mark.parametrize(
    ("resources", "workers", "most"),
    [
        ({"gpu": 0.5}, 4, {"3": 2, "7": 2}),
        ({"gpu": 1}, 2, {"3": 1, "7": 1}),
        ({"gpu": 2}, 1, {"3,7": 1}),
        ({}, 2, {"3": 1, "7": 1}),
    ],
)
def test_search_runs_as_many_trials_at_a_time_as_fit_on_the_gpus(
    resources: dict[str, float], workers: int, most: dict[str, int], tmp_path: Path
) -> None:
    notes = str(tmp_path / "notes")

    def evaluate(arch: mm.Architecture, trial: mm.Trial) -> float:
        seen = os.environ["CUDA_VISIBLE_DEVICES"]
        assert trial.device == "cuda:0"
        with open(notes, "a", encoding="ascii") as file:  # noqa: PTH123  # travels by value
            file.write(f"{time.monotonic():020.9f} +1 {seen}\n")
        begun = 0
        while begun < workers:  # until all workers had one at once
            time.sleep(0.02)
            with open(notes, encoding="ascii") as file:  # noqa: PTH123
                begun = file.read().count("+1")
        with open(notes, "a", encoding="ascii") as file:  # noqa: PTH123
            file.write(f"{time.monotonic():020.9f} -1 {seen}\n")
        return 1.0

    assert local_workers(resources) == workers
    result = mm.search(SPACE, evaluate, objectives={"score": "max"}, trials=12, resources=resources)
    assert len(result.records) == 12
    trials, found = busiest(tmp_path / "notes")
    assert trials.total() == 12
    assert found == most


def test_search_runs_no_more_workers_than_fit() -> None:
    assert local_workers({"gpu": 1}, 8) == 2
    assert local_workers({"gpu": 0.25}, 3) == 3
    assert local_workers({"gpu": 1}, 0) == 0
    assert local_workers({"cpu": len(os.sched_getaffinity(0))}, 8) == 1
    assert local_workers({}, 8) == 8
