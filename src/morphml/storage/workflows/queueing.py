"""What holds for the claims of jobs by all masters at once, and what waits."""

from __future__ import annotations

from morphml.errors import WorkflowError
from morphml.ids import ExecutionId
from morphml.storage.classes import decode_requirements
from morphml.storage.database import Database, Transaction, Values, again
from morphml.storage.expressions import Statement
from morphml.storage.sessions import database_time
from morphml.storage.statements import execution_rows, job_queries, job_rows, lock_rows, queue_rows
from morphml.storage.states import TaskState
from morphml.storage.workflows.records import QueueSettings, TaskCount

#: Executions forgotten in one transaction.
_BATCH = 100
#: Seconds over which throughput is counted.
THROUGHPUT_S = 60.0


class Queueing:
    """The queue of all jobs; may be used from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def settings(self) -> QueueSettings:
        """What was set."""
        with self._database.reading() as run:
            return settings_of(run)

    def pause(self, *, on: bool) -> None:
        """Let no job begin, or let them begin again."""
        self._set(queue_rows.set_paused, {"p_on": int(on)})

    def drain(self, *, on: bool) -> None:
        """Let no execution begin, or let them begin again."""
        self._set(queue_rows.set_draining, {"p_on": int(on)})

    def limit(self, rate: float | None) -> None:
        """Let at most so many jobs a second begin; None for any number.

        Raises:
            WorkflowError: when the rate is not above 0.
        """
        if rate is not None and not 0.0 < rate < float("inf"):
            raise WorkflowError(f"rate: more than 0 jobs a second, got {rate}")
        self._set(queue_rows.set_rate, {"p_rate": rate})

    def task_counts(self) -> list[TaskCount]:
        """How many job tasks stand where."""
        with self._database.reading() as run:
            rows = run.rows(execution_rows.task_counts, {})
        return [
            TaskCount(
                requirements=tuple(decode_requirements(requirements)),
                priority=priority,
                state=TaskState(state),
                delayed=bool(delayed),
                count=count,
                ready_at=ready_at,
            )
            for requirements, priority, state, delayed, count, ready_at in rows
        ]

    def totals(self) -> tuple[int, int, float]:
        """Jobs that succeeded, that failed, and that ended a second in the last minute."""
        with self._database.reading() as run:
            row = run.row(execution_rows.totals, {})
            lately = run.row(job_queries.ended_lately, {"p_within_s": THROUGHPUT_S})
        assert row is not None, "sum() returns a row"
        assert lately is not None, "count() returns a row"
        return int(row[0]), int(row[1]), lately[0] / THROUGHPUT_S

    def now(self) -> float:
        """The database's time, in seconds since the Unix epoch."""
        with self._database.reading() as run:
            return database_time(run)

    def clean(self, older_than_s: float) -> list[ExecutionId]:
        """Forget executions that ended longer ago; which they were."""
        total: list[ExecutionId] = []
        while forgotten := again(lambda: self._clean(older_than_s)):
            total += forgotten
        return total

    def _clean(self, older_than_s: float) -> list[ExecutionId]:
        with self._database.writing() as run:
            values: Values = {"p_age_s": older_than_s, "p_limit": _BATCH}
            old = [ExecutionId(row[0]) for row in run.rows(execution_rows.over_since, values)]
            for statement in (
                job_rows.drop_tasks,
                execution_rows.drop_jobs,
                execution_rows.drop_events,
                execution_rows.drop_output,
                execution_rows.drop_attempts,
                execution_rows.drop_classes,
                execution_rows.drop_execution,
            ):
                for execution in old:
                    run.run(statement, {"p_execution": execution})
            if not old:
                run.run(execution_rows.drop_unused_workflows, {"p_age_s": older_than_s})
                run.run(lock_rows.drop_old_locks, {})
        return old

    def _set(self, statement: Statement, values: Values) -> None:
        with self._database.writing() as run:
            run.run(queue_rows.lay_queue, {})
            run.run(statement, values)


def settings_of(run: Transaction) -> QueueSettings:
    """What was set of the queue."""
    row = run.row(queue_rows.queue_settings, {})
    if row is None:
        return QueueSettings()
    return QueueSettings(paused=bool(row[0]), draining=bool(row[1]), rate=row[2])
