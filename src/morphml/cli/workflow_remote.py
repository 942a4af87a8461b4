"""Executions at a master, asked for over REST, in the form in which a store tells them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence

from morphml.client import Client
from morphml.client.call import Document
from morphml.evaluation.bundle import Bundle
from morphml.master.workflows import (
    ExecutionEvent,
    ExecutionView,
    JobView,
    LogLine,
    Page,
    TaskView,
)
from morphml.optimizers.events import JSON
from morphml.workflow import ExecutionState, JobState


class RemoteExecutions:
    """Executions that a server tells of. Every method raises ``RequestError`` when it refuses.

    Args:
        client: asks the server.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def start(self, document: Mapping[str, JSON], *, key: str | None = None) -> ExecutionView:
        """Begin to execute a workflow; returns at once."""
        return _execution(self._client.executions.start(document, key=key))

    def send(self, code: Bundle) -> None:
        """Let jobs import this code."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(code.data)
            file.flush()
            self._client.executions.send_code(file.name, code.digest)

    def show(self, id: str) -> ExecutionView:
        """An execution."""
        return _execution(self._client.executions.show(id))

    def list(self, *, limit: int = 50) -> Page[ExecutionView]:
        """Executions, newest first."""
        found = self._client.executions.list(limit=limit)
        items = [_execution(each) for each in found["executions"]]
        return Page(items=items, after=found["next"])

    def jobs(self, id: str) -> Sequence[JobView]:
        """Its jobs, in order."""
        return [_job(id, each) for each in self._client.executions.jobs(id)["jobs"]]

    def events(self, id: str, after: int = 0) -> Sequence[ExecutionEvent]:
        """What is stored of it after that sequence number; asked for only when there is some."""
        newest = self.show(id).seq
        found: list[ExecutionEvent] = []
        for each in self._client.events(id, after=after):
            state, why = each.status, each.reason
            found.append(
                ExecutionEvent(
                    seq=each.seq, at=each.at, kind=each.kind, job=each.job, state=state, reason=why
                )
            )
            if each.seq >= newest:
                break
        return found

    def logs(self, id: str, job: str, after: int = 0) -> Sequence[LogLine]:
        """What a job wrote after that sequence number."""
        lines = self._client.executions.logs(id, job, after=after)["lines"]
        return [LogLine(**each) for each in lines]

    def pause(self, id: str) -> ExecutionView:
        """Begin no job until ``resume``."""
        return _execution(self._client.executions.pause(id))

    def resume(self, id: str) -> ExecutionView:
        """Go on after a pause; take up what failed or was cancelled."""
        return _execution(self._client.executions.resume(id))

    def cancel(self, id: str) -> ExecutionView:
        """Give it up."""
        return _execution(self._client.executions.cancel(id))

    def retry(self, id: str, job: str | None = None) -> ExecutionView:
        """Run a job again with all that depends on it, or all that did not succeed."""
        return _execution(self._client.executions.retry(id, job))


def _execution(found: Document) -> ExecutionView:
    return ExecutionView(
        id=found["executionId"],
        workflow_id=found["workflowId"],
        name=found["name"],
        state=ExecutionState(found["status"]),
        reason=found["reason"],
        parallelism=found["parallelism"],
        created_at=found["createdAt"],
        ended_at=found["endedAt"],
        counts={JobState(state): count for state, count in found["counts"].items()},
        seq=found["seq"],
        metadata=found["metadata"],
    )


def _job(execution: str, found: Document) -> JobView:
    return JobView(
        execution=execution,
        id=found["id"],
        name=found["name"],
        type=found["type"],
        depends_on=tuple(found["dependsOn"]),
        priority=found["priority"],
        state=JobState(found["status"]),
        reason=found["reason"],
        task=TaskView(found["task"]),
        attempts=found["attempts"],
        worker=found["worker"],
        outputs=found["outputs"],
        experiment=found["experimentId"],
        due_at=found["dueAt"],
        started_at=found["startedAt"],
        duration_s=found["durationSeconds"],
        ended_at=found["endedAt"],
        parts=found["parts"],
    )
