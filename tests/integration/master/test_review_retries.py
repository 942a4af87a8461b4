"""Retries and checkpoints that come twice."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

import morphml as mm
from morphml.evaluation import checkpoint
from morphml.master import Experiment, replay
from morphml.search.log import EntryKind

GRID = mm.SearchSpace(decisions={"a": mm.integer(0, 9), "b": mm.integer(0, 9)})


def test_retries_do_not_change_a_deterministic_history(tmp_path: Path) -> None:
    def history(name: str, broken: set[int]) -> list[tuple[object, ...]]:
        folder = tmp_path / name
        folder.mkdir()
        place = str(folder)

        def evaluate(arch, trial):
            time.sleep(0.01 * (trial.number % 3))
            if trial.number in broken:
                try:
                    os.close(os.open(f"{place}/{trial.number}", os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    pass
                else:
                    if trial.number % 2:
                        os._exit(1)
                    raise ValueError(f"once {trial.number}")
            return float((arch.decisions["a"] - 4) ** 2 + arch.decisions["b"])

        mm.search(
            GRID, evaluate, objectives={"loss": "min"}, optimizer="evolution",
            optimizer_settings={"population_size": 6, "sample_size": 3}, trials=30, workers=3,
            deterministic=True, storage=folder / "s.db",
        )  # fmt: skip
        with Experiment.open(folder / "s.db") as experiment:
            assert replay(experiment).passed
            results = Counter(a.result for a in experiment.store.attempts(experiment.id))
            assert results == {"succeeded": 30} | ({"failed": len(broken)} if broken else {})
            return [
                (e.kind, e.number) if e.kind is EntryKind.TOLD else (e.kind, e.number, e.body)
                for e in experiment.store.log(experiment.id)
            ]

    assert history("broken", {2, 7, 8, 13}) == history("whole", set())


@pytest.mark.parametrize("workers", [0, 1])
def test_checkpoint_saved_twice_after_one_epoch_is_stored_as_the_newer_one(
    workers: int, tmp_path: Path
) -> None:
    def evaluate(arch, trial):
        import torch

        model = torch.nn.Linear(1, 1)
        for epoch in trial.epochs(model=model):
            for value in (1.0, 2.0):
                with torch.no_grad():
                    model.weight.fill_(value)
                trial.checkpoint(epoch, model=model)
                if workers:
                    time.sleep(0.4)  # each in a transaction of its own
        return 1.0

    result = mm.search(
        GRID, evaluate, trials=1, max_epochs=2, workers=workers, storage=tmp_path / "s.db"
    )
    assert result.counts == {"completed": 1}
    assert result.best.checkpoint is not None
    kept = checkpoint.load(result.best.checkpoint, "cpu")
    assert kept.step == 2
    assert float(kept.state["model"]["weight"]) == 2.0


@pytest.mark.slow
def test_weights_of_an_attempt_that_was_lost_are_not_the_winners(tmp_path: Path) -> None:
    folder = str(tmp_path)

    def evaluate(arch, trial):
        import torch

        model = torch.nn.Linear(1, 1)
        first = not Path(folder, "died").exists()
        with torch.no_grad():
            model.weight.fill_(1.0 if first else 2.0)
        for epoch in trial.epochs(model=model):
            trial.checkpoint(epoch, model=model)
            if first and epoch == 3:
                os.close(os.open(f"{folder}/died", os.O_CREAT))
                os._exit(1)
            with torch.no_grad():
                model.weight.fill_(2.0)
            if not first and epoch == 2:
                break
        return 1.0

    for attempt in range(6):  # file names hold a random part, which decides about the order
        (tmp_path / "died").unlink(missing_ok=True)
        result = mm.search(
            GRID, evaluate, trials=1, max_epochs=3, workers=2, storage=tmp_path / f"{attempt}.db"
        )
        assert result.counts == {"completed": 1}
        files = sorted((result.folder / "checkpoints").glob("*.pt"))
        assert len(files) == 1
        kept = checkpoint.load(result.best.checkpoint, "cpu")
        assert float(kept.state["model"]["weight"]) == 2.0
