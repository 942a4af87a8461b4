"""What a person or program sees and does, through the face of executions, on a real store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from morphml.errors import IllegalTransition, UnknownExecution, WorkflowError
from morphml.master.workflows import Executions, TaskView
from morphml.scheduling.worker import WorkerState
from morphml.search.changes import ClaimedTask
from morphml.storage import SqlStore, open_store
from morphml.storage.cluster import WorkerRow
from morphml.testing.store.job_script import job, job_end
from morphml.workflow import ExecutionState, JobState


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with contextlib.closing(open_store(tmp_path / "store.db")) as opened:
        yield opened


@pytest.fixture
def executions(store: SqlStore, tmp_path: Path) -> Executions:
    return Executions(store, tmp_path / "files")


def document(*jobs: dict[str, object]) -> dict[str, object]:
    return {"workflowId": "w", "metadata": {"who": "me"}, "jobs": list(jobs)}


def claim(store: SqlStore, session: str) -> list[ClaimedTask]:
    return list(store.cluster.claim_jobs(session, 100))  # type: ignore[arg-type]


def test_views_tell_what_happens(store: SqlStore, executions: Executions) -> None:
    session = store.open_session("one")
    shown = executions.start(document(job("a", priority=7), job("b", "a", forEach=[1, 2])))
    assert (shown.workflow_id, shown.jobs, shown.metadata) == ("w", 2, {"who": "me"})
    assert shown.counts == {JobState.ACTIVE: 1, JobState.WAITING: 1}
    a, b = executions.jobs(shown.id)
    assert (a.id, a.task, a.priority, b.depends_on) == ("a", TaskView.WAITING, 7, ("a",))
    stats = executions.queue.stats()
    assert (stats.waiting, stats.by_priority, stats.by_capability) == (1, {7: 1}, {"any": 1})
    (task,) = claim(store, session)
    assert executions.jobs(shown.id, JobState.ACTIVE)[0].task is TaskView.RUNNING
    assert executions.queue.stats().active == 1
    failed = job_end(task, ok=False)
    store.workflows.running.end_attempts(shown.id, [failed], session)  # type: ignore[arg-type]
    delayed = executions.jobs(shown.id)[0]
    assert (delayed.task, delayed.attempts, delayed.worker) == (TaskView.DELAYED, 1, "w")
    assert delayed.due_at is not None
    assert executions.queue.stats().delayed == 1
    states = [(event.kind, event.job, event.state) for event in executions.events(shown.id)]
    assert states == [("job", "a", "active"), ("job", "a", "retrying")]
    assert executions.events(shown.id, after=1)[0].reason == "it broke"


def test_pages_hold_each_execution_once(executions: Executions) -> None:
    made = [executions.start(document(job("a"))).id for _ in range(5)]
    seen: list[str] = []
    after: str | None = None
    while True:
        page = executions.list(after=after, limit=2)
        seen += [each.id for each in page.items]
        after = page.after
        if after is None:
            break
    assert sorted(seen) == sorted(made)
    executions.cancel(made[3])
    cancelled = executions.list(state=ExecutionState.CANCELLED)
    assert [each.id for each in cancelled.items] == [made[3]]
    with pytest.raises(WorkflowError, match="after"):
        executions.list(after="nonsense")
    with pytest.raises(WorkflowError, match="limit"):
        executions.list(limit=0)


def test_what_is_not_there_is_told(executions: Executions) -> None:
    shown = executions.start(document(job("a"), job("b", forEach=[1])))
    for ask in (executions.show, executions.pause, executions.cancel, executions.jobs):
        with pytest.raises(UnknownExecution, match="none of that id"):
            ask("x-none")
    with pytest.raises(UnknownExecution, match="has no job 'c'; it has a, b"):
        executions.logs(shown.id, "c")
    with pytest.raises(UnknownExecution, match="has no part"):
        executions.cancel_job(shown.id, "b[7]")
    with pytest.raises(WorkflowError, match="cancel these"):
        executions.cancel_job(shown.id, "b")
    with pytest.raises(IllegalTransition):
        executions.resume(shown.id)
    with pytest.raises(WorkflowError) as wrong:
        executions.start(document(job("a", "a")))
    assert wrong.value.mistakes


def test_resume_goes_on_after_pause_and_after_cancel(
    store: SqlStore, executions: Executions
) -> None:
    session = store.open_session("one")
    shown = executions.start(document(job("a"), job("b", "a")))
    assert executions.pause(shown.id).state is ExecutionState.PAUSED
    assert claim(store, session) == []
    assert executions.resume(shown.id).state is ExecutionState.RUNNING
    assert executions.cancel(shown.id).state is ExecutionState.CANCELLED
    assert executions.resume(shown.id).state is ExecutionState.RUNNING
    assert len(claim(store, session)) == 1


def test_forgotten_execution_takes_its_files_along(
    store: SqlStore, executions: Executions, tmp_path: Path
) -> None:
    kept, old = (executions.start(document(job("a"))).id for _ in range(2))
    for id in (kept, old):
        (tmp_path / "files" / id / "artifacts").mkdir(parents=True)
    executions.cancel(old)
    assert executions.queue.clean(0.0) == 1
    assert not (tmp_path / "files" / old).exists()
    assert (tmp_path / "files" / kept).exists()
    assert [each.id for each in executions.list().items] == [kept]


def test_job_that_no_worker_can_run_says_what_is_missing(
    store: SqlStore, executions: Executions
) -> None:
    id = executions.start(document(job("a", requiredCapabilities=["ssd"]), job("b"))).id

    def waits_for() -> list[str]:
        return [each.reason for each in executions.jobs(id)]

    assert waits_for() == ["there is no worker", ""]
    session = store.open_session("one")
    plain = WorkerRow(
        id="w1", name="w1", state=WorkerState.BUSY, offers={"cpu": 2.0}, joined_at=0.0
    )
    store.cluster.workers.put(session, [plain])
    assert waits_for() == ["ssd, which no worker has", ""]
    store.cluster.workers.put(session, [replace(plain, offers={"cpu": 2.0, "ssd": 1.0})])
    assert waits_for() == ["", ""]


def test_locks_are_seen_by_all(executions: Executions, store: SqlStore) -> None:
    held = executions.locks.acquire("deploy", "me")
    assert held is not None
    assert Executions(store).locks.get("deploy") == held
    assert executions.locks.acquire("deploy", "you") is None
    assert executions.locks.release("deploy", "me")
