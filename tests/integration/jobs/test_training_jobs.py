"""Jobs around a trained architecture: train, evaluate, export, with the built-in evaluator."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import morphml as mm
from morphml import layers as L
from morphml.errors import CallerError, EvaluatorError, WorkflowError
from morphml.evaluation import checkpoint
from morphml.evaluation.orders import Order, TrialCancelled
from morphml.jobs import Artifact, ArtifactFolder, JobRun, runner
from morphml.jobs.workplace import Workplace
from morphml.optimizers.events import JSON

SPACE = mm.SearchSpace(
    input=(1, 8, 8), layers=[L.flatten(), L.dense(units=mm.choice(16, 32)), L.relu(), L.output(10)]
)


class Channel:
    """Keeps what is said; cancels where told to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.given = Order.CONTINUE

    def report(self, step: int, metrics: Mapping[str, float]) -> Order:
        raise AssertionError("a job reports nothing")

    def order(self) -> Order:
        return self.given

    def checkpointed(self, step: int, path: Path, digest: str) -> None:
        """Due only where an epoch takes ten seconds, as on a very busy machine."""

    def log(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def channel() -> Channel:
    return Channel()


@pytest.fixture
def run(tmp_path: Path, channel: Channel) -> JobRun:
    return JobRun(
        execution="e",
        job="train",
        attempt_id="ab" * 16,
        seed=3,
        device="cpu",
        worker="local-0",
        workplace=Workplace(tmp_path),
        artifacts=ArtifactFolder(tmp_path),
        channel=channel,
    )


def call(type: str, run: JobRun, **config: JSON) -> Mapping[str, JSON]:
    return runner.call(type, config, run, 1 << 16)


def search() -> dict[str, JSON]:
    """As a search puts out what it found."""
    best = SPACE.default().to_json()
    return {
        "experiment": "x",
        "architecture": {"space": SPACE.to_text(), "vector": list(SPACE.default().vector)},
        "metrics": {"accuracy": 0.5},
        "evaluator": "morphml.evaluation.training:Classification",
        "arguments": {"data": "digits", "lr": 0.01},
        "maxEpochs": 2,
        "point": str(best["point_id"]),
    }


def path_of(value: JSON, run: JobRun) -> Path:
    artifact = Artifact.of(value)
    assert artifact is not None, value
    return run.artifacts.path(artifact)


def test_best_of_a_search_is_trained_scored_and_exported(
    run: JobRun, channel: Channel, tmp_path: Path
) -> None:
    trained = call("train", run, search=search())
    assert [line.partition(":")[0] for line in channel.lines] == ["epoch 1", "epoch 2"]
    assert trained["epochs"] == 2
    again = call("evaluate", run, search=search(), weights=trained["weights"])
    assert again["metrics"] == trained["metrics"], "the weights are those of the last epoch"
    whole = call("evaluate", run, search=search(), weights=trained["weights"], data="digits")
    assert (again["samples"], whole["samples"]) == (359, 1797)
    exported = call(
        "export",
        run,
        architecture=trained["architecture"],
        weights=trained["weights"],
        to=str(tmp_path / "out" / "model.py"),
    )
    spec = importlib.util.spec_from_file_location("model", tmp_path / "out" / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    state = torch.load(path_of(exported["weights"], run), weights_only=True)
    assert sum(tensor.numel() for tensor in state.values()) == SPACE.default().params
    assert path_of(exported["model"], run).read_bytes() == (tmp_path / "out/model.py").read_bytes()


def test_checkpoint_of_another_training_and_one_that_is_broken_are_left_alone(
    run: JobRun, channel: Channel, tmp_path: Path
) -> None:
    other, broken = tmp_path / "other.pt", tmp_path / "broken.pt"
    checkpoint.save(other, 1, {"model": {"count": torch.tensor(1)}}, "another training")
    broken.write_bytes(b"no checkpoint")
    for file in (other, broken):
        call("train", replace(run, checkpoint=file), search=search())
    said = [line.partition(":")[0] for line in channel.lines]
    assert said == ["begins anew", "epoch 1", "epoch 2"] * 2


def test_architecture_comes_from_a_file_and_data_from_an_earlier_job(
    run: JobRun, tmp_path: Path
) -> None:
    best = tmp_path / "best.json"
    best.write_text(json.dumps({"number": 3, "architecture": SPACE.default().to_json()}))
    rng = np.random.default_rng(0)
    data = run.folder / "data.npz"
    np.savez(data, x=rng.random((40, 1, 8, 8), np.float32), y=np.arange(40) % 10)
    kept = run.keep(data)
    evaluator: JSON = {"classification": {"data": kept, "epochs": 1}}
    trained = call("train", run, architecture=str(best), evaluator=evaluator)
    scored = call(
        "evaluate",
        run,
        architecture=trained["architecture"],
        weights=trained["weights"],
        evaluator=evaluator,
        data=kept,
    )
    assert scored["samples"] == 40
    written = call("export", run, architecture=trained["architecture"], to="net.json")
    assert json.loads(path_of(written["model"], run).read_bytes())["space"] == SPACE.to_text()


def test_cancel_ends_a_training_at_its_next_report(run: JobRun, channel: Channel) -> None:
    channel.given = Order.CANCEL
    with pytest.raises(TrialCancelled):
        call("train", run, search=search())
    assert len(channel.lines) == 1


@pytest.mark.parametrize(
    ("type", "changes", "error", "words"),
    [
        ("train", {"epoch": 3}, WorkflowError, "'epoch'"),
        ("train", {"search": "x"}, WorkflowError, "outputs of a search"),
        ("train", {"architecture": 3}, WorkflowError, "morphml export"),
        ("train", {"architecture": "no-such.json"}, WorkflowError, "no file"),
        ("train", {"evaluator": "no.such:thing"}, EvaluatorError, "no module"),
        ("train", {"epochs": -1}, WorkflowError, "whole number"),
        ("evaluate", {}, WorkflowError, "weights"),
        ("export", {"to": "model.exe"}, WorkflowError, "ends with"),
        ("export", {"weights": "no-such.pt"}, WorkflowError, "no file"),
    ],
)
def test_mistake_is_told(
    run: JobRun, type: str, changes: Mapping[str, JSON], error: type[CallerError], words: str
) -> None:
    with pytest.raises(error, match=words):
        call(type, run, **{"search": search(), **changes})
