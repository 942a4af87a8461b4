"""Files of jobs at masters that do not share a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import eventually
from tests.integration.engines.remote.worker_processes import HERE, Workers
from tests.integration.master.cluster.masters import LONG_S, Site

from morphml.jobs import Artifact
from morphml.master.workflows import Executions
from morphml.master.workflows.queue import Queue

SIZE = 2_500_000
DOCUMENT = {
    "workflowId": "files",
    "jobs": [
        {
            "id": "write",
            "type": "python",
            "requiredCapabilities": ["a"],
            "config": {"function": "remote_jobs:write", "size": SIZE},
        },
        {
            "id": "read",
            "type": "python",
            "dependsOn": ["write"],
            "requiredCapabilities": ["b"],
            "config": {"function": "remote_jobs:read", "file": "${write.file}"},
        },
    ],
}


def test_file_of_a_job_reaches_a_worker_of_a_master_with_another_folder(
    shared: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    first, other = shared.master("first"), shared.master("other")
    workers = Workers(tmp_path)
    started = [
        workers.start(first.port, slots=1, labels=["a"]),
        workers.start(other.port, slots=1, labels=["b"]),
    ]
    executions = Executions(shared.store)
    try:
        eventually(lambda: first.hub.slots() == other.hub.slots() == 1, LONG_S, "the workers")
        id = executions.start(DOCUMENT).id
        eventually(lambda: executions.show(id).state.ended, 2 * LONG_S, "the end")
        write, read = executions.jobs(id)
    finally:
        for each in started:
            each.process.kill()
            each.process.wait()
    assert (write.attempts, read.attempts, read.outputs["size"]) == (1, 1, SIZE)
    assert sorted(len(each.lines("began")) for each in started) == [1, 1]
    artifact = Artifact.of(write.outputs["file"])
    assert artifact is not None
    assert Queue(shared.store, shared.folder / "first").clean(0.0) == 1
    assert not (shared.folder / "first" / id).exists()
    assert shared.store.bundles.chunks(artifact.digest) is None
