"""What an engine is handed for a claimed job."""

from __future__ import annotations

from pathlib import Path

from morphml.ids import ExecutionId, ExperimentId, TaskId, new_token
from morphml.master.workflows.attempts import assignment_of
from morphml.search.changes import ClaimedTask
from morphml.storage.workflows import CallRecord
from morphml.workflow import Job


def claimed(**requirements: float) -> ClaimedTask:
    return ClaimedTask(
        id=TaskId("x1-4-0"),
        experiment=ExperimentId("x1"),
        number=4,
        segment=0,
        from_epoch=0,
        to_epoch=0,
        token=new_token(),
        attempts=0,
        vector=b"",
        checkpoint=None,
        requirements=requirements,
    )


def test_attempt_has_the_limits_of_its_job_and_one_seed_for_all_attempts() -> None:
    job = Job(id="a", name="a", type="python", timeout_s=7.0)
    call = CallRecord(
        execution=ExecutionId("x1"), number=4, name="a[2]", job=job, config={"x": [1]}
    )
    plain = assignment_of(call, claimed(), None)
    larger = assignment_of(call, claimed(memory=2e9, gpu=1), (3, Path("a.pt")))
    assert (plain.time_limit_s, plain.memory_limit_bytes) == (7.0, None)
    assert (larger.memory_limit_bytes, larger.requirements["gpu"]) == (2_000_000_000, 1)
    assert (plain.from_epoch, plain.checkpoint) == (0, None)
    assert (larger.from_epoch, larger.checkpoint) == (3, Path("a.pt"))
    assert plain.seed == larger.seed < 2**31
    assert plain.job is not None
    assert (plain.job.job, plain.job.config) == ("a[2]", {"x": [1]})
