"""A master that runs jobs of an execution as a contract check tells it to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from morphml.ids import AttemptToken, ExecutionId, SessionId
from morphml.search.changes import AttemptResult, ClaimedTask
from morphml.storage.workflows import JobEnd
from morphml.testing.store.case import StoreCase
from morphml.workflow import ExecutionState, JobState


class JobScript:
    """A master that runs jobs of an execution as it is told.

    Args:
        case: the store under test.
        jobs: of the workflow, as JSON.
        fields: other keys of its document.
    """

    def __init__(
        self, case: StoreCase, jobs: Sequence[Mapping[str, Any]], **fields: object
    ) -> None:
        self.case = case
        self.stored = case.store.workflows
        self.document = {"workflowId": "tested", "jobs": list(jobs), **fields}
        self.id: ExecutionId = self.stored.running.start(self.document, None)

    def claim(self, limit: int = 1_000, session: SessionId | None = None) -> dict[str, ClaimedTask]:
        """Claimed jobs of this execution by their names."""
        claimed = self.case.store.cluster.claim_jobs(session or self.case.session, limit)
        calls = self.stored.running.calls(claimed)
        assert {str(task.experiment) for task in claimed} <= {str(self.id)}
        return {call.name: task for call, task in zip(calls, claimed, strict=True) if call}

    def end(
        self,
        tasks: Iterable[ClaimedTask],
        *,
        ok: bool = True,
        own: bool = True,
        session: SessionId | None = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> list[AttemptToken]:
        """End attempts in one transaction; the refused tokens."""
        ends = [job_end(task, ok=ok, own=own, outputs=outputs) for task in tasks]
        return self.stored.running.end_attempts(self.id, ends, session or self.case.session)

    def run(self, fail: Iterable[str] = (), outputs: Mapping[str, Any] | None = None) -> list[str]:
        """Run whatever can be claimed, until nothing can; names in the order of claims."""
        ran: list[str] = []
        failing = set(fail)
        while tasks := self.claim():
            ran += tasks
            self.end((t for n, t in tasks.items() if n not in failing), outputs=outputs)
            self.end((t for n, t in tasks.items() if n in failing), ok=False)
        return ran

    def is_(self, state: ExecutionState) -> bool:
        """Whether the execution is in this state."""
        return self.stored.reading.execution(self.id).state is state

    def states(self) -> dict[str, JobState]:
        """States of all jobs and parts."""
        return {job.name: job.state for job in self.stored.reading.jobs(self.id)}

    def outputs(self, name: str) -> Mapping[str, Any]:
        """What a job put out."""
        return next(j.outputs for j in self.stored.reading.jobs(self.id) if j.name == name)

    def check_counters(self) -> None:
        """The execution's row, its events and its jobs say the same."""
        record = self.stored.reading.execution(self.id)
        events = self.stored.reading.events(self.id, 0, 100_000)
        assert [event.seq for event in events] == list(range(1, record.seq + 1))
        last = {event.job: event.state for event in events if event.state != "retrying"}
        for name, state in self.states().items():
            if state is not JobState.WAITING:
                assert last[name] == state, f"{name} is {state}, its last event says {last[name]}"
        if record.state.ended:
            assert all(state.ended for state in self.states().values())
            assert record.ended_at is not None


def job_end(
    task: ClaimedTask, *, ok: bool, own: bool = True, outputs: Mapping[str, Any] | None = None
) -> JobEnd:
    """The end of an attempt at a claimed job."""
    return JobEnd(
        number=task.number,
        token=task.token,
        result=AttemptResult.SUCCEEDED if ok else AttemptResult.FAILED,
        worker="w",
        started_at=1.0,
        duration_s=0.5,
        outputs=orjson.dumps(outputs or {}),
        failure=None if ok else b'{"kind": "user_error"}',
        reason="" if ok else "it broke",
        own=own,
    )


def job(id: str, *after: str, **fields: object) -> dict[str, Any]:
    """A job that does nothing, as JSON."""
    return {"id": id, "type": "preprocessing", "dependsOn": list(after), **fields}
