"""A training job whose worker is killed goes on from its last checkpoint, at another worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import eventually
from tests.integration.engines.remote.worker_processes import HERE, Workers
from tests.integration.master.cluster.masters import LONG_S, SPACE, Site

from morphml.evaluation import checkpoint
from morphml.jobs import Artifact, ArtifactFolder
from morphml.master.workflows import Executions
from morphml.workflow import ExecutionState

ARCHITECTURE = SPACE.member({"x": 3})
DOCUMENT = {
    "workflowId": "training",
    "jobs": [
        {
            "id": "train",
            "type": "train",
            "config": {
                "architecture": {"space": SPACE.to_text(), "vector": list(ARCHITECTURE.vector)},
                "evaluator": "remote_training:saving_each_epoch",
                "epochs": 4,
            },
        }
    ],
}


def test_training_job_goes_on_where_its_killed_worker_was(
    alone: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    master, workers = alone.master("first"), Workers(tmp_path)
    executions = Executions(alone.store)
    started = [workers.start(master.port, slots=1)]
    try:
        id = executions.start(DOCUMENT).id
        saved = alone.folder / "first" / id / "checkpoints"
        eventually(lambda: list(saved.glob("*-00002-*.pt")), 2 * LONG_S, "two epochs are saved")
        started[0].process.kill()
        started[0].process.wait()
        started.append(workers.start(master.port, slots=1))
        (tmp_path / "go").touch()
        eventually(lambda: executions.show(id).state.ended, 2 * LONG_S, "the end")
        eventually(lambda: not list(saved.glob("*.pt")), LONG_S, "nobody needs them any more")
    finally:
        for each in started:
            each.process.kill()
            each.process.wait()
    (job,) = executions.jobs(id)
    assert executions.show(id).state is ExecutionState.COMPLETED, job
    trained = [[int(n) for n in range(1, 5) if each.lines(f"trained-{n}")] for each in started]
    assert trained == [[1, 2], [3, 4]]
    assert job.outputs["metrics"] == {"score": 4.0}
    assert any("goes on after epoch 2" in line.text for line in executions.logs(id, "train"))
    weights = Artifact.of(job.outputs["weights"])
    assert weights is not None
    file = ArtifactFolder(alone.folder / "first" / id).path(weights)
    state = checkpoint.load(file, "cpu").state["model"]
    assert int(state["count"]) == 4  # type: ignore[index]  # a mapping of tensors
