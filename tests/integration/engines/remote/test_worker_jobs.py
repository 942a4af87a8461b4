"""Jobs in worker processes at a real hub: their calls, what they put out, and their files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import KeptRecords
from tests.integration.engines.remote.test_worker_with_hub import EXPERIMENT, Master, serving
from tests.integration.engines.remote.worker_processes import Workers

from morphml.engines.port import Failed, JobCall, Succeeded
from morphml.engines.remote.executions import execution_message
from morphml.ids import AttemptToken, digest
from morphml.jobs import Artifact
from morphml.optimizers.events import JSON
from morphml.scheduling.failures import FailureKind

SIZE = 3_000_000


@pytest.fixture
def records(tmp_path: Path) -> KeptRecords:
    kept = KeptRecords(tmp_path / "artifacts")
    kept.contexts[EXPERIMENT] = execution_message(EXPERIMENT)
    return kept


def submit(master: Master, number: int, type: str, at: str = "", **config: JSON) -> AttemptToken:
    needs = {at: 1.0} if at else {}
    job = JobCall(job=f"job-{number}", type=type, config=config)
    return master.submit(number, job=job, requirements=needs)


def test_job_runs_once_and_its_file_reaches_another_worker(
    records: KeptRecords, workers: Workers
) -> None:
    with serving(records) as master:
        started = [workers.start(master.hub.port, slots=1, labels=[each]) for each in ("a", "b")]
        master.pump(lambda: master.hub.slots() == 2)
        token = submit(master, 0, "python", "a", function="remote_jobs:write", size=SIZE)
        (wrote,) = master.finish(token)
        assert isinstance(wrote.outcome, Succeeded), wrote.outcome
        artifact = Artifact.of(wrote.outcome.outputs["file"])
        assert artifact is not None
        assert records.artifacts(EXPERIMENT).path(artifact).stat().st_size == SIZE
        config = {"function": "remote_jobs:read", "file": artifact.to_json()}
        there = [submit(master, n, "python", "b", **config) for n in (1, 2)]
        ends = master.finish(*there)
        expected = {"size": SIZE, "last": (SIZE - 1) % 251, "name": "numbers.bin"}
        assert [end.outcome for end in ends] == [Succeeded(outputs=expected)] * 2
    ran = Counter(tuple(line) for each in started for line in each.lines("began"))
    expected_runs = ((f"job-{n}", digest(t.encode())) for n, t in enumerate([token, *there]))
    assert ran == Counter(expected_runs)


def test_end_waits_for_its_file_and_reaches_the_master_that_came_after(
    records: KeptRecords, workers: Workers, tmp_path: Path
) -> None:
    with serving(records) as first:
        worker = workers.start(first.hub.port, slots=1)
        first.pump(lambda: first.hub.slots() == 1)
        token = submit(first, 0, "python", function="remote_jobs:write", size=SIZE, seconds=1.5)
        first.pump(lambda: first.started() == [token])
        port = first.hub.port
    records.folder = tmp_path / "elsewhere"
    with serving(records, port) as second:
        second.pump(lambda: second.hub.slots() == 1)
        (end,) = second.finish(token)
        assert isinstance(end.outcome, Succeeded), end.outcome
        artifact = Artifact.of(end.outcome.outputs["file"])
        assert artifact is not None
        assert records.artifacts(EXPERIMENT).has(artifact)
    assert len(worker.lines("began")) == 1


def test_worker_refuses_types_of_jobs_that_its_operator_does_not_want(
    records: KeptRecords, workers: Workers
) -> None:
    with serving(records) as master:
        worker = workers.start(master.hub.port, slots=1, refuse_jobs=["python", "shell"])
        master.pump(lambda: master.hub.slots() == 1)
        calling = {"function": "remote_jobs:write", "size": 1}
        refused = [
            submit(master, 0, "python", **calling),
            submit(master, 1, "preprocessing", **calling),
            submit(master, 2, "shell", command=["true"]),
        ]
        for end in master.finish(*refused):
            assert isinstance(end.outcome, Failed)
            assert end.outcome.kind is FailureKind.INFRASTRUCTURE
            assert "--refuse-jobs" in end.outcome.message
        (end,) = master.finish(submit(master, 3, "preprocessing"))
        assert end.outcome == Succeeded()
        large = submit(master, 4, "preprocessing", text="x" * (1 << 20))
        (end,) = master.finish(large)
        assert isinstance(end.outcome, Failed)
        assert end.outcome.error_type == "ConfigTooLarge"
    assert worker.lines("began") == []
