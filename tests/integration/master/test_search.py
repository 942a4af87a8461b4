"""Whole searches on one machine: real child processes, a real SQLite file, everything counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.integration.master.pointers import await_pointer

import morphml as mm
from morphml import layers as L
from morphml.errors import ConstraintError, ExperimentError, SpaceError, StoreInUse
from morphml.master import Experiment, replay
from morphml.search.log import EntryKind

GRID = mm.SearchSpace(decisions={"a": mm.integer(0, 9), "b": mm.integer(0, 9)})


def mark(folder: str, line: str) -> None:
    """Count something from any process: one short append, whole or not at all."""
    file = os.open(Path(folder) / "marks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def marks(folder: Path) -> list[str]:
    path = folder / "marks"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("workers", [0, 2])
def test_search_evaluates_each_trial_once_and_finds_the_optimum(
    workers: int, tmp_path: Path
) -> None:
    folder = str(tmp_path)

    def evaluate(arch, trial):
        mark(folder, f"{trial.number}")
        return float((arch.decisions["a"] - 3) ** 2 + (arch.decisions["b"] - 6) ** 2)

    result = mm.search(
        GRID,
        evaluate,
        objectives={"loss": "min"},
        optimizer="evolution",
        trials=200,
        workers=workers,
        storage=tmp_path / "s.db",
    )
    assert result.reason == "space exhausted"
    assert len(result.records) == 100
    assert Counter(marks(tmp_path)) == Counter(str(n) for n in range(100))
    assert dict(result.best.decisions) == {"a": 3, "b": 6}
    assert result.best.metrics == {"loss": 0.0}
    with Experiment.open(tmp_path / "s.db") as experiment:
        assert replay(experiment).passed


def test_search_in_memory_leaves_nothing_behind() -> None:
    code = (
        "import morphml as mm\n"
        "space = mm.SearchSpace(decisions={'a': mm.integer(0, 99)})\n"
        "result = mm.search(space, lambda arch, trial: 1.0, trials=12, workers=0)\n"
        "assert result.counts == {'completed': 12} and result.folder.is_dir()\n"
        "print(result.folder)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not Path(done.stdout.strip()).exists()


def test_failed_trials_are_tried_on_another_worker_and_never_win(tmp_path: Path) -> None:
    folder = str(tmp_path)

    def evaluate(arch, trial):
        mark(folder, f"{trial.number}")
        if arch.decisions["a"] % 2:
            here = Path(folder, f"raised-{os.getpid()}")
            # Who has shown the error shows it again when the other one has too.
            while here.exists() and len(list(Path(folder).glob("raised-*"))) < 2:
                time.sleep(0.01)
            here.touch()
            raise ValueError(f"odd {arch.decisions['a']}")
        return float(arch.decisions["a"])

    result = mm.search(
        GRID, evaluate, objectives={"score": "max"}, trials=30, workers=2, storage=tmp_path / "s.db"
    )
    assert len(result.records) == 30
    odd = {t.number for t in result.points if t.decisions["a"] % 2}
    assert result.counts["failed"] == len(odd) > 0
    assert result.best.metrics["score"] % 2 == 0
    tried = Counter(marks(tmp_path))
    assert all(tried[str(n)] == 1 for n in range(30) if n not in odd)
    # Once more on the other worker, until both have shown the error.
    assert {tried[str(n)] for n in odd} == {1, 2}


def test_search_stops_early_when_everything_fails_and_shows_the_first_error(
    tmp_path: Path,
) -> None:
    def evaluate(arch, trial):
        time.sleep(0.06)
        raise RuntimeError("no such data set")

    result = mm.search(GRID, evaluate, trials=100, workers=2, storage=tmp_path / "s.db")
    assert result.record.state == "failed"
    assert "RuntimeError: no such data set" in result.reason
    assert len(result.records) < 60
    assert "RuntimeError: no such data set" in repr(result)
    with pytest.raises(mm.MorphError, match="RuntimeError: no such data set"):
        _ = result.best


def test_deterministic_search_has_one_history_whatever_the_timing(tmp_path: Path) -> None:
    def history(name: str, slow: int) -> list[tuple[object, ...]]:
        def evaluate(arch, trial):
            time.sleep(0.03 * ((trial.number + slow) % 3))
            return float(arch.decisions["a"] * 10 + arch.decisions["b"])

        mm.search(
            GRID,
            evaluate,
            objectives={"loss": "min"},
            optimizer="evolution",
            optimizer_settings={"population_size": 8, "sample_size": 3},
            trials=40,
            workers=3,
            deterministic=True,
            storage=tmp_path / name,
        )
        with Experiment.open(tmp_path / name) as experiment:
            return [
                (e.kind, e.number) if e.kind is EntryKind.TOLD else (e.kind, e.number, e.body)
                for e in experiment.store.log(experiment.id)
            ]

    assert history("one.db", 0) == history("two.db", 1)


def test_trial_whose_child_was_killed_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    folder = str(tmp_path)

    def evaluate(arch, trial):
        import torch

        model = torch.nn.Linear(2, 2)
        with torch.no_grad():
            model.weight.fill_(0.0)
        for epoch in trial.epochs(model=model):
            mark(folder, f"{trial.number} {epoch}")
            with torch.no_grad():
                model.weight += 1.0
            trial.checkpoint(epoch, model=model)
            if trial.number == 1 and epoch == 3 and not Path(folder, "killed").exists():
                Path(folder, "killed").touch()
                await_pointer(f"{folder}/s.db", 1, 3)
                os.kill(os.getpid(), signal.SIGKILL)
            trial.report(epoch, weight=float(model.weight[0, 0]))
        return {"weight": float(model.weight[0, 0])}

    result = mm.search(
        GRID, evaluate, objectives={"weight": "max"}, trials=3, max_epochs=5, workers=2,
        storage=tmp_path / "s.db",
    )  # fmt: skip
    assert result.counts == {"completed": 3}
    epochs = [int(line.split()[1]) for line in marks(tmp_path) if line.startswith("1 ")]
    assert epochs == [1, 2, 3, 4, 5]
    assert all(record.metrics["weight"] == 5.0 for record in result.records)
    with Experiment.open(tmp_path / "s.db") as experiment:
        attempts = [a for a in experiment.store.attempts(experiment.id) if a.number == 1]
    assert [attempt.result for attempt in attempts] == ["failed", "succeeded"]
    assert attempts[0].failure is not None
    assert attempts[0].failure["kind"] == "crash"


def test_winner_keeps_its_weights_and_writes_them_beside_its_source(tmp_path: Path) -> None:
    import torch

    space = mm.SearchSpace(
        input=(4,), layers=[L.dense(units=mm.choice(4, 8, 16)), L.relu(), L.output(2)]
    )

    def evaluate(arch, trial):
        model = arch.build()
        for epoch in trial.epochs(model=model):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.fill_(float(trial.number))
            trial.report(epoch, score=float(trial.number))
        return {"score": float(trial.number)}

    result = mm.search(
        space, evaluate, objectives={"score": "max"}, trials=3, max_epochs=2, workers=1,
        storage=tmp_path / "s.db",
    )  # fmt: skip
    assert result.best.number == 2
    checkpoints = list((result.folder / "checkpoints").glob("*.pt"))
    assert {path.name[:6] for path in checkpoints} == {"000002"}
    source = result.best.to_python(tmp_path / "out" / "model.py")
    code = "import model; print({float(v.detach().unique()) for v in model.load().parameters()})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "{2.0}"


def test_experiment_asked_and_told_by_hand_goes_on_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Experiment.create(
        GRID, None, storage=path, objectives={"loss": "min"}, trials=6
    ) as experiment:
        first, second = experiment.ask(), experiment.ask()
        assert first is not None
        assert second is not None
        experiment.tell(second.number, 4.0)
        with pytest.raises(ExperimentError, match="not waiting"):
            experiment.tell(second.number, 4.0)
    with Experiment.open(path) as experiment:
        experiment.tell(0, None, error="burned down")
        while (trial := experiment.ask()) is not None:
            experiment.tell(trial.number, {"loss": float(trial.number)})
        result = experiment.result()
    assert result.counts == {"failed": 1, "completed": 5}
    assert result.best.number == 2
    assert result.reason == "budget of trials spent"


def test_completed_experiment_goes_on_with_a_larger_budget(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    def evaluate(arch, trial):
        return float(arch.decisions["a"])

    mm.search(GRID, evaluate, trials=5, workers=0, storage=path)
    with pytest.raises(ExperimentError, match="completed"):
        mm.resume(path, workers=0)
    result = mm.resume(path, workers=0, trials=9)
    assert [record.number for record in result.records] == list(range(9))


def test_second_process_may_read_and_stop_but_not_drive(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    script = tmp_path / "drive.py"
    script.write_text(
        "import sys, time, morphml as mm\n"
        "space = mm.SearchSpace(decisions={'a': mm.integer(0, 999)})\n"
        "def evaluate(arch, trial):\n"
        "    time.sleep(0.05)\n"
        "    return 1.0\n"
        "result = mm.search(space, evaluate, trials=900, workers=1, storage=sys.argv[1])\n"
        "print(result.reason)\n"
    )
    process = subprocess.Popen([sys.executable, script, path], stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            if path.exists():
                try:
                    with Experiment.open(path) as experiment:
                        if len(list(experiment.store.trials(experiment.id))) > 3:
                            break
                except mm.MorphError:
                    pass  # the file is there, its tables are not yet
            time.sleep(0.05)
        with Experiment.open(path) as experiment:
            with pytest.raises(StoreInUse):
                experiment.run(workers=0)
            experiment.stop("enough")
        out, _ = process.communicate(timeout=300)
    finally:
        process.kill()
        process.communicate()
    assert out.strip() == "enough"
    with Experiment.open(path) as experiment:
        assert experiment.record.state == "paused"
        assert 3 < experiment.record.next_number < 900


def test_constraint_that_rejects_everything_fails_the_experiment_by_name(tmp_path: Path) -> None:
    space = mm.SearchSpace(input=(4,), layers=[L.dense(units=mm.integer(4, 4000)), L.output(2)])
    with pytest.raises(ConstraintError, match="params <= 3"):
        mm.search(
            space, lambda arch, trial: 1.0, constraints={"params": "<= 3"}, trials=5, workers=0,
            storage=tmp_path / "s.db",
        )  # fmt: skip
    with Experiment.open(tmp_path / "s.db") as experiment:
        assert experiment.record.state == "failed"
        assert "params <= 3" in experiment.record.reason


def test_resume_refuses_another_space(tmp_path: Path) -> None:
    mm.search(GRID, lambda a, t: 1.0, trials=3, workers=0, storage=tmp_path / "s.db")
    other = mm.SearchSpace(decisions={"a": mm.integer(0, 3)})
    with pytest.raises(SpaceError, match="not the one"):
        Experiment.open(tmp_path / "s.db", space=other)


def test_changed_evaluator_file_is_not_loaded(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        return 1.0

    result = mm.search(GRID, evaluate, trials=3, workers=0, storage=tmp_path / "s.db")
    (kept,) = result.folder.glob("evaluator-*.pkl")
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_bytes(kept.read_bytes() + b"x")
    with pytest.raises(mm.MorphError, match="was changed"):
        mm.resume(tmp_path / "s.db", trials=5)


def test_time_budget_ends_the_search(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        time.sleep(0.05)
        return 1.0

    result = mm.search(
        GRID, evaluate, trials=100, timeout=3.0, workers=0, storage=tmp_path / "s.db"
    )
    assert result.reason == "time budget spent"
    assert 0 < len(result.records) < 90


@pytest.mark.parametrize("workers", [0, 3])
def test_total_epochs_end_the_search(workers: int) -> None:
    def evaluate(arch, trial):
        for epoch in trial.epochs():
            trial.report(epoch, accuracy=0.5)
        return 0.5

    result = mm.search(GRID, evaluate, trials=100, epochs=20, max_epochs=4, workers=workers)
    assert result.reason == "budget of epochs spent"
    assert sum(record.epochs for record in result.records) == 20


@pytest.mark.parametrize("workers", [0, 1])
def test_repeats_average_the_noise_with_other_seeds(workers: int, tmp_path: Path) -> None:
    folder = str(tmp_path)

    def evaluate(arch, trial):
        mark(folder, f"{trial.number} {trial.seed}")
        for epoch in trial.epochs():
            trial.report(epoch, noise=float(trial.seed))
        return {"noise": float(trial.seed)}

    result = mm.search(
        GRID, evaluate, objectives={"noise": "min"}, trials=4, repeats=3, max_epochs=2,
        workers=workers, storage=tmp_path / "s.db",
    )  # fmt: skip
    assert len(set(marks(tmp_path))) == len(marks(tmp_path)) == 12
    for record in result.records:
        seeds = [int(s) for n, s in map(str.split, marks(tmp_path)) if int(n) == record.number]
        assert record.metrics["noise"] == pytest.approx(sum(seeds) / 3)
        assert record.epochs == 2


def test_other_process_cancels_one_trial_and_the_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    def evaluate(arch, trial):
        for _ in range(600 if trial.number == 1 else 5):
            time.sleep(0.05)
            trial.should_stop()
        return 1.0

    with Experiment.create(GRID, evaluate, storage=path, trials=6, workers=2) as experiment:
        asked: list[int] = []

        def cancel_when_running(progress: mm.Progress) -> None:
            if progress.taken > 1 and not asked:
                asked.append(1)
                with Experiment.open(path) as other:
                    other.cancel(1)

        result = experiment.run(observer=cancel_when_running)
        assert experiment.store.requests.waiting(experiment.id) == []
    assert asked == [1]
    assert result.counts == {"completed": 5, "cancelled": 1}
    assert result.trial(1).state == "cancelled"
    with Experiment.open(path) as experiment:
        assert replay(experiment).passed


def test_best_of_equal_trials_is_one_that_no_other_dominates(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        return {"accuracy": min(trial.number, 2) / 2, "cost": float((trial.number - 6) ** 2)}

    result = mm.search(
        GRID, evaluate, objectives={"accuracy": "max", "cost": "min"}, trials=9, workers=0,
        storage=tmp_path / "s.db",
    )  # fmt: skip
    assert [trial.number for trial in result.ranked()] == [6, 2, 3, 4, 5, 7, 8, 1, 0]
    assert result.best.number == result.pareto_front[0].number == 6
