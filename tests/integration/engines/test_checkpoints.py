"""Pause, loss and promotion: training goes on from a checkpoint as if never interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import training_evaluators as training

from morphml.engines import (
    Checkpointed,
    Engine,
    Failed,
    Finished,
    InProcessEngine,
    LocalEngine,
    Order,
    PausedAt,
    Reported,
    Succeeded,
)
from morphml.errors import WorkerError
from morphml.evaluation import checkpoint
from morphml.scheduling.failures import FailureKind
from morphml.testing.engine_probe import EngineProbe


@pytest.fixture(scope="module")
def local() -> Iterator[LocalEngine]:
    """One for all tests: its fork server imports torch, which takes seconds."""
    with LocalEngine(1) as engine:
        yield engine


@pytest.fixture(params=["in process", "local"])
def engine(request: pytest.FixtureRequest, local: LocalEngine) -> Engine:
    return InProcessEngine() if request.param == "in process" else local


def uninterrupted(tmp_path: Path) -> Succeeded:
    probe = EngineProbe(InProcessEngine())
    probe.prepare(training.train, scratch=tmp_path / "whole")
    outcome = probe.run(seed=11, to_epoch=5)
    assert isinstance(outcome, Succeeded)
    return outcome


def test_training_gives_the_same_bits_in_every_engine(engine: Engine, tmp_path: Path) -> None:
    probe = EngineProbe(engine)
    probe.prepare(training.train, scratch=tmp_path)
    assert probe.run(seed=11, to_epoch=5) == uninterrupted(tmp_path)
    assert probe.run(seed=12, to_epoch=5) != uninterrupted(tmp_path)


def test_segments_joined_by_checkpoints_equal_one_long_training(
    engine: Engine, tmp_path: Path
) -> None:
    probe = EngineProbe(engine)
    probe.prepare(training.train, scratch=tmp_path)
    probe.run(seed=11, to_epoch=2, checkpoint_at_end=True)
    (saved,) = probe.of(Checkpointed)
    assert (saved.step, saved.digest) == (2, checkpoint.file_digest(saved.path))
    outcome = probe.run(seed=11, from_epoch=2, to_epoch=5, checkpoint=saved.path, reported_step=2)
    assert outcome == uninterrupted(tmp_path)
    assert [event.step for event in probe.of(Reported)] == [1, 2, 3, 4, 5]


def test_paused_training_goes_on_with_the_same_bits(local: LocalEngine, tmp_path: Path) -> None:
    probe = EngineProbe(local)
    probe.prepare(training.train_slowly, scratch=tmp_path)
    token = probe.submit(seed=11, to_epoch=5)
    probe.pump(lambda: len(probe.of(Reported)) >= 1)
    local.order(token, Order.PAUSE)
    probe.finish()
    paused = probe.finished(token).outcome
    assert isinstance(paused, PausedAt)
    assert 1 <= paused.step <= 4
    saved = probe.of(Checkpointed)[-1]
    assert saved.step == paused.step
    about = probe.about(token)
    assert about.index(saved) < about.index(probe.finished(token))
    outcome = probe.run(seed=11, to_epoch=5, checkpoint=saved.path, reported_step=paused.step)
    assert outcome == uninterrupted(tmp_path)
    assert [event.step for event in probe.of(Reported)] == [1, 2, 3, 4, 5]


def test_killed_training_goes_on_from_its_checkpoint(local: LocalEngine, tmp_path: Path) -> None:
    probe = EngineProbe(local)
    probe.prepare(training.train_and_die, scratch=tmp_path)
    lost = probe.run(seed=11, to_epoch=5)
    assert isinstance(lost, Failed)
    assert lost.kind is FailureKind.CRASH
    (saved,) = probe.of(Checkpointed)
    outcome = probe.run(seed=11, to_epoch=5, checkpoint=saved.path, reported_step=3)
    assert outcome == uninterrupted(tmp_path)
    assert [event.step for event in probe.of(Reported)] == [1, 2, 3, 4, 5]


def test_checkpoint_at_the_end_of_its_segment_starts_over(engine: Engine, tmp_path: Path) -> None:
    """Lost after its last checkpoint and before its result: there is no epoch left to measure."""
    probe = EngineProbe(engine)
    probe.prepare(training.train, scratch=tmp_path)
    probe.run(seed=11, to_epoch=5, checkpoint_at_end=True)
    saved = probe.of(Checkpointed)[-1]
    outcome = probe.run(seed=11, to_epoch=5, checkpoint=saved.path, reported_step=5)
    assert outcome == uninterrupted(tmp_path)
    assert len(probe.of(Reported)) == 5


def test_last_checkpoint_holds_the_weights_as_the_evaluator_left_them(
    engine: Engine, tmp_path: Path
) -> None:
    probe = EngineProbe(engine)
    probe.prepare(training.stop_early, scratch=tmp_path)
    probe.run(to_epoch=5, checkpoint_at_end=True)
    (saved,) = probe.of(Checkpointed)
    state = checkpoint.load(saved.path, "cpu").state["model"]
    assert saved.step == 2
    assert isinstance(state, dict)
    assert state["weight"].item() == 42.0


def test_evaluator_saves_and_loads_plain_values_by_hand(engine: Engine, tmp_path: Path) -> None:
    probe = EngineProbe(engine)
    probe.prepare(training.keep_own_state, scratch=tmp_path)
    probe.run()
    (saved,) = probe.of(Checkpointed)
    assert probe.run(checkpoint=saved.path) == Succeeded(metrics={"score": 0.25})


def test_only_the_two_newest_checkpoints_of_an_attempt_are_kept(
    engine: Engine, tmp_path: Path
) -> None:
    probe = EngineProbe(engine)
    probe.prepare(training.save_often, scratch=tmp_path)
    probe.run()
    saved = probe.of(Checkpointed)
    assert [event.step for event in saved] == [1, 2, 3, 4, 5, 6]
    assert sorted((tmp_path / "checkpoints").iterdir()) == [event.path for event in saved[-2:]]


def test_state_that_only_code_could_read_back_is_refused(engine: Engine, tmp_path: Path) -> None:
    probe = EngineProbe(engine)
    probe.prepare(training.keep_wrong_state, scratch=tmp_path)
    outcome = probe.run()
    assert isinstance(outcome, Failed)
    assert outcome.error_type == "EvaluatorError"
    assert "plain values" in outcome.message
    assert list((tmp_path / "checkpoints").iterdir()) == []


@pytest.mark.parametrize("damage", ["missing", "cut off", "not a checkpoint", "code inside"])
def test_damaged_checkpoint_is_infrastructure(engine: Engine, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "given.pt"
    if damage == "cut off":
        checkpoint.save(path, 1, {"x": torch.zeros(1000)})
        path.write_bytes(path.read_bytes()[:2000])
    elif damage == "not a checkpoint":
        path.write_bytes(b"hello")
    elif damage == "code inside":
        torch.save({"step": 1, "state": {"x": print}}, path)
    with pytest.raises(WorkerError, match=r"given\.pt could not be read"):
        checkpoint.load(path, "cpu")
    probe = EngineProbe(engine)
    probe.prepare(training.train, scratch=tmp_path)
    outcome = probe.run(to_epoch=5, checkpoint=path)
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.INFRASTRUCTURE
    assert len(probe.of(Finished)) == 1


def test_full_disk_leaves_no_half_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "taken"
    folder.write_text("a file where the folder should be")
    with pytest.raises(WorkerError, match="could not be written"):
        checkpoint.save(folder / "a.pt", 1, {"x": torch.zeros(3)})
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
