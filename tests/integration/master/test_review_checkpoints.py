"""Checkpoints between a child that writes and removes them and a store that points at them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.integration.master.pointers import await_pointer

import morphml as mm
from morphml.evaluation import checkpoint
from morphml.master import Experiment
from morphml.master.recovery import fresh_machine

GRID = mm.SearchSpace(decisions={"a": mm.integer(0, 9), "b": mm.integer(0, 9)})

SCRIPT = """
import os, signal, sys, time
import morphml as mm

space = mm.SearchSpace(decisions={"a": mm.integer(0, 9), "b": mm.integer(0, 9)})
folder = sys.argv[1]

def evaluate(arch, trial):
    import torch
    model = torch.nn.Linear(1, 1)
    for epoch in trial.epochs(model=model):
        file = os.open(folder + "/marks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, f"{trial.number} {epoch}\\n".encode())
        os.close(file)
        trial.checkpoint(epoch, model=model)
        trial.report(epoch, score=float(trial.number))
        if epoch == 3 and not os.path.exists(folder + "/go"):
            time.sleep(60)
    return {"score": float(trial.number)}

mm.search(space, evaluate, objectives={"score": "min"}, trials=3, max_epochs=5,
          workers=3, storage=folder + "/s.db")
"""


def marks(folder: Path) -> list[tuple[int, int]]:
    path = folder / "marks"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(number), int(epoch)) for number, epoch in map(str.split, lines)]


@pytest.mark.parametrize("workers", [0, 1])
def test_many_checkpoints_between_two_turns_of_the_driver_do_no_harm(
    workers: int, tmp_path: Path
) -> None:
    def evaluate(arch, trial):
        import torch

        model = torch.nn.Linear(1, 1)
        for epoch in trial.epochs(model=model):
            trial.checkpoint(epoch, model=model)
        return {"score": float(trial.number)}

    result = mm.search(
        GRID, evaluate, objectives={"score": "max"}, trials=4, max_epochs=6, workers=workers,
        storage=tmp_path / "s.db",
    )  # fmt: skip
    assert result.counts == {"completed": 4}
    assert result.best.checkpoint is not None
    assert checkpoint.load(result.best.checkpoint, "cpu").step == 6


def test_checkpoint_of_the_first_repetition_outlives_the_others(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        import torch

        model = torch.nn.Linear(1, 1)
        for epoch in trial.epochs(model=model):
            with torch.no_grad():
                model.weight.fill_(float(trial.seed % 1000))
            trial.checkpoint(epoch, model=model)
        return {"score": float(trial.seed % 1000)}

    result = mm.search(
        GRID, evaluate, objectives={"score": "max"}, trials=1, repeats=3, max_epochs=2, workers=0,
        storage=tmp_path / "s.db",
    )  # fmt: skip
    assert result.counts == {"completed": 1}
    assert result.best.checkpoint is not None
    kept = checkpoint.load(result.best.checkpoint, "cpu")
    assert kept.step == 2


def test_resumed_trial_keeps_its_checkpoint_while_others_end(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path)])
    deadline = time.monotonic() + 200
    while sum(epoch == 3 for _, epoch in marks(tmp_path)) < 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for number in range(3):
        await_pointer(f"{tmp_path}/s.db", number, 3)
    process.kill()
    process.wait()
    (tmp_path / "go").touch()
    before = len(marks(tmp_path))
    result = mm.resume(tmp_path / "s.db", workers=1)
    assert result.counts == {"completed": 3}
    # Each goes on after its third epoch, also the ones that wait while the first is finished.
    assert sorted(marks(tmp_path)[before:]) == [(n, e) for n in range(3) for e in (4, 5)]
    assert {p.name[:6] for p in (result.folder / "checkpoints").glob("*.pt")} == {"000000"}


def test_attempt_whose_checkpoint_vanished_begins_at_the_first_epoch(tmp_path: Path) -> None:
    folder = str(tmp_path)

    def evaluate(arch, trial):
        import torch

        Path(folder, f"from-{trial.from_epoch}").touch()
        model = torch.nn.Linear(1, 1)
        for epoch in trial.epochs(model=model):
            path = trial.checkpoint(epoch, model=model)
            if epoch == 2 and not Path(folder, "died").exists():
                await_pointer(f"{folder}/s.db", 0, 2)
                Path(folder, "died").touch()
                path.unlink()
                os._exit(3)
        return {"score": 1.0}

    result = mm.search(
        GRID, evaluate, objectives={"score": "max"}, trials=1, max_epochs=3, workers=2,
        storage=tmp_path / "s.db",
    )  # fmt: skip
    assert result.counts == {"completed": 1}
    assert [path.name for path in tmp_path.glob("from-*")] == ["from-0"]


def test_winner_among_equals_keeps_its_weights_whoever_ended_first(tmp_path: Path) -> None:
    folder = str(tmp_path)

    def evaluate(arch, trial):
        import torch

        began = Path(folder, f"{trial.number}-began")
        began.touch()
        for _ in trial.epochs(model=torch.nn.Linear(1, 1)):
            # A worker that has begun its second trial has told the end of its first.
            while trial.number == 0 and not Path(folder, "2-began").exists():
                time.sleep(0.01)
        return {"score": 1.0, "size": 2.0}

    for objectives in ({"score": "max"}, {"score": "max", "size": "min"}):
        for mark in tmp_path.glob("*-began"):
            mark.unlink()
        path = tmp_path / f"{len(objectives)}.db"
        result = mm.search(
            GRID, evaluate, objectives=objectives, trials=4, max_epochs=1, workers=2, storage=path
        )
        with Experiment.open(path) as experiment:
            ends = [e.number for e in experiment.store.log(experiment.id) if e.kind == "told"]
        assert ends[0] != 0
        assert result.best.number == 0
        assert result.best.checkpoint is not None
        # Of equal points all are on the front; what it shows can be exported.
        assert all(trial.checkpoint is not None for trial in result.pareto_front[:1])


def test_best_of_equals_has_its_weights_when_it_is_not_the_first(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        import torch

        for _ in trial.epochs(model=torch.nn.Linear(1, 1)):
            pass
        return {"score": 1.0, "size": float((trial.number - 2) ** 2)}

    with Experiment.create(
        GRID, evaluate, objectives={"score": "max", "size": "min"}, trials=5, max_epochs=1,
        storage=tmp_path / "s.db", workers=0,
    ) as experiment:  # fmt: skip
        result = experiment.run(workers=0)
        machine = fresh_machine(experiment.spec, GRID)
        machine.fold(experiment.store.log(experiment.id))
    assert machine.standing.best == (2, (-1.0, 0.0))
    assert result.best.number == 2
    assert result.best.checkpoint is not None
    assert len(list((result.folder / "checkpoints").glob("*.pt"))) == 1
