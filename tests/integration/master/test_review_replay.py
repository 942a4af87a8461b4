"""``replay --check`` passes whatever an experiment went through."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import morphml as mm
from morphml import layers as L
from morphml.errors import ConstraintError
from morphml.master import Experiment, replay
from morphml.search.log import EntryKind, Origin, decode_body

GRID = mm.SearchSpace(decisions={"a": mm.integer(0, 4), "b": mm.integer(0, 4)})
NETS = mm.SearchSpace(
    input=(8,),
    layers=[
        L.dense(units=mm.choice(4, 8, 16, 32, 64)),
        L.relu(),
        L.dense(units=mm.choice(4, 8, 16, 32, 64)),
        L.output(3),
    ],
)


def check(path: Path) -> int:
    """Replay the experiment; how many proposals were asked again."""
    with Experiment.open(path) as experiment:
        report = replay(experiment)
        entries = list(experiment.store.log(experiment.id))
    assert report.passed, (report.difference, report.proposed)
    assert report.entries == len(entries)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    return report.asked


def constant(arch: object, trial: object) -> float:
    return 1.0


@pytest.mark.parametrize("optimizer", ["random", "evolution", "genetic", "local_search"])
def test_exhausted_space_asked_again_after_a_larger_budget(optimizer: str, tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    mm.search(GRID, constant, optimizer=optimizer, trials=40, workers=0, storage=path)
    before = check(path)
    again = mm.resume(path, trials=60, workers=0)
    assert again.reason == "space exhausted"
    assert again.counts == {"completed": 25}
    assert check(path) > before


def test_constraint_that_rejects_everything_run_twice(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with pytest.raises(ConstraintError):
        mm.search(NETS, constant, constraints={"params": "<= 3"}, workers=0, storage=path)
    before = check(path)
    with pytest.raises(ConstraintError):
        mm.resume(path, workers=0)
    assert check(path) == 2 * before


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("deterministic", [False, True])
def test_start_points_rejections_duplicates_failures_and_draws(
    workers: int, deterministic: bool, tmp_path: Path
) -> None:
    def evaluate(arch, trial):
        if trial.number == 4:
            raise ValueError("bad luck")
        trial.report(1, accuracy=0.5)
        return {"accuracy": 1.0 / arch.params, "latency": float(trial.number % 3)}

    path = tmp_path / "s.db"
    small = {"dense/units": 4, "dense_2/units": 4}
    paths = [decision.path for decision in NETS.decisions]
    point = dict(zip(paths, [4, 4], strict=True))
    large = dict(zip(paths, [64, 64], strict=True))
    del small
    mm.search(
        NETS, evaluate, objectives={"accuracy": "max", "params": "min"},
        constraints={"params": "<= 3_000", "latency": "<= 1"}, start=[point, large, point],
        optimizer="evolution", optimizer_settings={"population_size": 4, "sample_size": 2},
        trials=9, workers=workers, deterministic=deterministic, storage=path,
    )  # fmt: skip
    check(path)
    result = mm.resume(path, trials=30, workers=workers)
    assert result.reason == "space exhausted"
    check(path)
    with Experiment.open(path) as experiment:
        entries = list(experiment.store.log(experiment.id))
    origins = Counter(
        (e.kind, decode_body(e)["origin"])
        for e in entries
        if e.kind in (EntryKind.ASKED, EntryKind.ANSWERED, EntryKind.REJECTED)
    )
    assert origins[EntryKind.ASKED, Origin.START] == 1
    assert origins[EntryKind.REJECTED, Origin.START] == 1
    assert origins[EntryKind.ANSWERED, Origin.START] == 1
    allowed = [a for a in NETS.members() if a.params <= 3_000]
    assert len(result.records) == len(allowed)
