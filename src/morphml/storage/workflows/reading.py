"""What anybody may ask about executions."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from morphml.errors import UnknownExecution
from morphml.ids import ExecutionId, ExperimentId
from morphml.storage.database import Database, Row, Transaction, Values
from morphml.storage.statements import execution_rows, job_queries
from morphml.storage.states import TaskState
from morphml.storage.workflows.known import PARTS, KnownWorkflow, KnownWorkflows
from morphml.storage.workflows.records import (
    EventRecord,
    ExecutionRecord,
    JobRecord,
    LastAttempt,
    OutputRecord,
)
from morphml.storage.workflows.steering import unknown_execution
from morphml.workflow import ExecutionState, JobState


class Reading:
    """Reads executions; may be used from several threads.

    Args:
        database: has them.
        known: workflows that are known.
    """

    def __init__(self, database: Database, known: KnownWorkflows) -> None:
        self._database = database
        self._known = known

    def execution(self, execution: ExecutionId) -> ExecutionRecord:
        """One execution.

        Raises:
            WorkflowError: when there is none of that id.
        """
        with self._database.reading() as run:
            row = run.row(execution_rows.one_execution, {"p_execution": execution})
            if row is None:
                raise unknown_execution(execution)
            return self._record(run, row)

    def executions(
        self, state: ExecutionState | None, before: tuple[float, str], limit: int
    ) -> list[ExecutionRecord]:
        """Executions before a place in time (seconds since the Unix epoch, id), newest first."""
        statement = execution_rows.newest_executions
        values: dict[str, str | int | float | None] = {
            "p_at": before[0],
            "p_execution": before[1],
            "p_limit": limit,
        }
        if state is not None:
            statement = execution_rows.newest_in_state
            values["p_state"] = state.value
        with self._database.reading() as run:
            return [self._record(run, row) for row in run.rows(statement, values)]

    def _record(self, run: Transaction, row: Row) -> ExecutionRecord:
        id, workflow, _, state, reason, _, seq, created_at, ended_at = row
        counts = run.rows(job_queries.counts_of, {"p_execution": id})
        return ExecutionRecord(
            id=ExecutionId(id),
            workflow=self._known.of(run, workflow).workflow,
            state=ExecutionState(state),
            reason=reason,
            seq=seq,
            created_at=created_at,
            ended_at=ended_at,
            counts={JobState(each): count for each, count in counts},
        )

    def jobs(self, execution: ExecutionId) -> list[JobRecord]:
        """All jobs in the order of the workflow, each followed by its parts.

        Raises:
            WorkflowError: when there is no such execution.
        """
        key: Values = {"p_execution": execution}
        with self._database.reading() as run:
            known = self._workflow(run, execution)
            rows = sorted(
                run.rows(job_queries.jobs_of, key), key=lambda row: (row[0] % PARTS, row[0])
            )
            attempts = _last_attempts(run.rows(job_queries.attempts_of, key))
        return [_job_record(known, row, attempts.get(row[0])) for row in rows]

    def number(self, execution: ExecutionId, name: str) -> int:
        """The number of a job or part.

        Raises:
            WorkflowError: when there is no such execution, or no such job in it.
        """
        with self._database.reading() as run:
            known = self._workflow(run, execution)
        number = known.number(name)
        if number is None:
            ids = ", ".join(list(known.numbers)[:30])
            raise UnknownExecution(f"execution {execution} has no job {name!r}; it has {ids}")
        return number

    def events(self, execution: ExecutionId, after: int, limit: int) -> list[EventRecord]:
        """Events with ``seq > after``, in order."""
        values: Values = {"p_execution": execution, "p_after": after, "p_limit": limit}
        with self._database.reading() as run:
            rows = run.rows(execution_rows.events_after, values)
        return [
            EventRecord(seq=seq, job=job, state=state, reason=reason, at=at)
            for seq, job, state, reason, at in rows
        ]

    def output(
        self, execution: ExecutionId, number: int, after: int, limit: int
    ) -> list[OutputRecord]:
        """Pieces of output with ``seq > after``, in order."""
        values: Values = {
            "p_execution": execution,
            "p_number": number,
            "p_after": after,
            "p_limit": limit,
        }
        with self._database.reading() as run:
            rows = run.rows(job_queries.output_after, values)
        return [
            OutputRecord(seq=seq, at=at, stream=stream, text=text) for seq, at, stream, text in rows
        ]

    def open_executions(self) -> list[ExecutionId]:
        """Executions that have not ended."""
        with self._database.reading() as run:
            return [ExecutionId(row[0]) for row in run.rows(execution_rows.open_executions, {})]

    def _workflow(self, run: Transaction, execution: ExecutionId) -> KnownWorkflow:
        row = run.row(execution_rows.standing_of, {"p_execution": execution})
        if row is None:
            raise unknown_execution(execution)
        return self._known.of(run, row[0])


def _last_attempts(rows: Sequence[Row]) -> dict[int, LastAttempt]:
    found: dict[int, LastAttempt] = {}
    for number, worker, started_at, duration_s in rows:
        before = found.get(number)
        found[number] = LastAttempt(
            count=1 if before is None else before.count + 1,
            worker=worker,
            started_at=started_at,
            duration_s=duration_s,
        )
    return found


def _job_record(known: KnownWorkflow, row: Row, attempts: LastAttempt | None) -> JobRecord:
    number, state, reason, outputs, experiment, ended_at, task, due_at = row
    return JobRecord(
        number=number,
        name=known.name(number),
        job=known.job(number),
        state=JobState(state),
        reason=reason,
        outputs={} if outputs is None else orjson.loads(outputs),
        experiment=ExperimentId(experiment) if experiment else None,
        ended_at=ended_at,
        task=None if task is None else TaskState(task),
        due_at=due_at,
        attempts=attempts,
    )
