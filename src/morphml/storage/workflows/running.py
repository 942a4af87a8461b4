"""Executions begin, attempts at their jobs end, and others follow: one transaction each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from morphml.errors import KeyReused, QueueDrained
from morphml.ids import (
    AttemptToken,
    ExecutionId,
    ExperimentId,
    SessionId,
    new_execution_id,
    new_experiment_id,
)
from morphml.optimizers.events import JSON
from morphml.search.changes import AttemptResult, ClaimedTask
from morphml.search.experiment import ExperimentSpec
from morphml.storage.classes import ClassNames, Could, is_met
from morphml.storage.database import Database, Row, Transaction, Values, again
from morphml.storage.driving import new_experiment
from morphml.storage.rows import AttemptRow
from morphml.storage.statements import (
    execution_rows,
    experiment_rows,
    job_queries,
    job_rows,
    task_rows,
    trial_rows,
)
from morphml.storage.states import TaskState
from morphml.storage.workflows.course import Course
from morphml.storage.workflows.ends import End, Standing
from morphml.storage.workflows.enqueueing import Enqueuer, new_job
from morphml.storage.workflows.known import KnownWorkflow, KnownWorkflows, document_text, is_part
from morphml.storage.workflows.queueing import settings_of
from morphml.storage.workflows.records import CallRecord, JobEnd, SearchRecord
from morphml.storage.workflows.values import StoredValues
from morphml.workflow import ExecutionState, JobState
from morphml.workflow.job_life import Cancel, Fail, Succeed
from morphml.workflow.references import Reference, filled
from morphml.workflow.retrying import Failures, next_attempt

#: Searches that are looked at in one go.
_SEARCHES = 1_000
#: What a job was made for that is no part.
_NO_ITEM: Row = (None,)


class Running:
    """Begins executions and takes them on; may be used from several threads.

    Args:
        database: has them.
        classes: requirement sets that are known.
        known: workflows that are known.
        policy: name of the policy that ranks jobs.
    """

    def __init__(
        self, database: Database, classes: ClassNames, known: KnownWorkflows, policy: str
    ) -> None:
        self._database = database
        self._classes = classes
        self._known = known
        self._policy = policy

    def start(self, document: Mapping[str, Any], key: str | None) -> ExecutionId:
        """Store an execution and the tasks of the jobs that wait for nothing.

        Args:
            document: of the workflow.
            key: the same key gives the same execution again.

        Raises:
            WorkflowError: when the document has mistakes, the key was used for another one, or no
                execution is accepted.
        """
        id, text = document_text(document)
        from morphml.workflow import parse_workflow  # noqa: PLC0415  # see there

        known = KnownWorkflow(id=id, workflow=parse_workflow(document))
        execution = again(lambda: self._start(known, text, key))
        self._known.add(known)
        return execution

    def _start(self, known: KnownWorkflow, text: str, key: str | None) -> ExecutionId:
        execution, workflow = new_execution_id(), known.workflow
        classes = self._classes.for_transaction()
        with self._database.writing() as run:
            if settings_of(run).draining:
                raise QueueDrained("the queue is drained: no execution begins until it is resumed")
            values: Values = {"p_id": known.id, "p_name": workflow.id, "p_document": text}
            run.run(execution_rows.add_workflow, values)
            row = run.row(
                execution_rows.add_execution,
                {
                    "p_execution": execution,
                    "p_workflow": known.id,
                    "p_key": key,
                    "p_parallelism": workflow.parallelism,
                    "p_jobs": len(workflow.jobs),
                },
            )
            if row is None:
                return _same_as_before(run, known, key)
            numbers = range(len(workflow.jobs))
            run.add(job_rows.add_job, [new_job(execution, n, known) for n in numbers])
            standing = Standing(
                known.id, ExecutionState.RUNNING, "", workflow.parallelism, 0, float(row[0])
            )
            course = Course(run, execution, known, standing, Enqueuer(classes, self._policy))
            course.settle(n for n in numbers if not known.jobs[n].depends_on)
            course.finish()
        classes.stored()
        return execution

    def end_attempts(
        self, execution: ExecutionId, ends: Sequence[JobEnd], session: SessionId
    ) -> list[AttemptToken]:
        """Store how attempts ended, and all that follows.

        Args:
            execution: whose jobs.
            ends: at most one for each job.
            session: who holds them.

        Returns:
            Tokens that the session does not hold: nothing of them was stored. Ask
            ``leases.ended`` whether an earlier call has stored their end.
        """
        in_order = sorted(ends, key=lambda end: end.number)
        if not in_order:
            return []
        return again(lambda: self._end_attempts(execution, in_order, session))

    def _end_attempts(
        self, execution: ExecutionId, ends: Sequence[JobEnd], session: SessionId
    ) -> list[AttemptToken]:
        classes = self._classes.for_transaction()
        with self._database.writing() as run:
            standing = _standing(run, execution)
            if standing is None:
                return [end.token for end in ends]
            known = self._known.of(run, standing.workflow)
            course = Course(run, execution, known, standing, Enqueuer(classes, self._policy))
            held = run.each(task_rows.held_task, [_held(execution, end) for end in ends])
            mine = [
                (end, row)
                for end, row in zip(ends, held, strict=True)
                if row is not None and row[2:] == (session, TaskState.LEASED)
            ]
            over = _settle_tasks(run, course, [end for end, _ in mine])
            run.add(
                trial_rows.add_attempt,
                [_attempt_row(execution, end, row, standing.now) for end, row in mine],
            )
            course.end(over)
            course.finish()
        classes.stored()
        stored = {end.token for end, _ in mine}
        return [end.token for end in ends if end.token not in stored]

    def end_job(
        self,
        execution: ExecutionId,
        number: int,
        event: Succeed | Fail | Cancel,
        outputs: bytes | None = None,
    ) -> None:
        """End a job that no attempt ends: a search, or one that a person gives up.

        Nothing happens to one that has ended already.
        """
        text = None if outputs is None else outputs.decode()
        again(lambda: self._end_job(execution, End(number=number, event=event, outputs=text)))

    def _end_job(self, execution: ExecutionId, end: End) -> None:
        classes = self._classes.for_transaction()
        with self._database.writing() as run:
            standing = _standing(run, execution)
            if standing is None:
                return
            known = self._known.of(run, standing.workflow)
            key: Values = {"p_execution": execution, "p_number": end.number}
            run.rows(job_rows.drop_task, key)
            row = run.row(job_rows.lock_job, key)
            course = Course(run, execution, known, standing, Enqueuer(classes, self._policy))
            if row is not None:
                course.end([replace(end, active=row[0] == JobState.ACTIVE)])
                course.finish()
        classes.stored()

    # --- what masters ask ------------------------------------------------------------------------

    def is_ready(self, could: Could | None = None) -> bool:
        """Whether any job waits that may be claimed now; one index step for each class.

        Args:
            could: only jobs whose needs it is true of; None takes any.
        """
        with self._database.reading() as run:
            if settings_of(run).paused:
                return False
            if run.row(job_queries.due_jobs, {}) is not None:
                return True
            return any(
                head is not None and is_met(requirements, could)
                for head, _, requirements, _ in run.rows(execution_rows.open_job_classes, {})
            )

    def calls(self, tasks: Sequence[ClaimedTask]) -> list[CallRecord | None]:
        """What is needed to run claimed jobs, in their order; None for what is gone meanwhile."""
        numbers: dict[ExecutionId, list[int]] = {}
        for task in tasks:
            numbers.setdefault(ExecutionId(task.experiment), []).append(task.number)
        with self._database.reading() as run:
            found = {each: self._calls(run, each, numbers[each]) for each in numbers}
        return [found[ExecutionId(task.experiment)].get(task.number) for task in tasks]

    def _calls(
        self, run: Transaction, execution: ExecutionId, numbers: Sequence[int]
    ) -> dict[int, CallRecord]:
        """By number; jobs are there as long as their execution, and parts may have left."""
        standing = _standing(run, execution)
        if standing is None:
            return {}
        known = self._known.of(run, standing.workflow)
        values = StoredValues(run, execution, known)
        parts = [number for number in numbers if is_part(number)]
        keys: list[Values] = [{"p_execution": execution, "p_number": part} for part in parts]
        rows = dict(zip(parts, run.each(job_queries.item_of, keys), strict=True))
        return {
            number: _call(execution, known, number, values.of(number, row[0]))
            for number in numbers
            if (row := rows.get(number) if is_part(number) else _NO_ITEM) is not None
        }

    def call(self, execution: ExecutionId, number: int) -> CallRecord | None:
        """What is needed to run one job, or to make its experiment; None when it is gone."""
        with self._database.reading() as run:
            return self._calls(run, execution, [number]).get(number)

    def searches(self) -> list[SearchRecord]:
        """Search jobs that have begun and not ended."""
        with self._database.reading() as run:
            rows = run.rows(job_queries.searches, {"p_limit": _SEARCHES})
        return [
            SearchRecord(
                execution=ExecutionId(execution),
                number=number,
                experiment=ExperimentId(experiment) if experiment else None,
                state=state,
                reason=reason,
            )
            for execution, number, experiment, state, reason in rows
        ]

    def make_experiment(self, search: SearchRecord, spec: ExperimentSpec) -> ExperimentId | None:
        """Give a search its experiment, left to the masters.

        Returns:
            None when it has one already, or has ended: nothing is stored then.
        """
        experiment = new_experiment_id()
        values: Values = {
            "p_execution": search.execution,
            "p_number": search.number,
            "p_experiment": experiment,
        }
        with self._database.writing() as run:
            if run.row(job_rows.name_experiment, values) is None:
                return None
            run.run(experiment_rows.add_experiment, new_experiment(experiment, spec))
            run.run(experiment_rows.queue, {"p_id": experiment, "p_priority": spec.priority})
        return experiment


def _call(
    execution: ExecutionId,
    known: KnownWorkflow,
    number: int,
    look_up: Callable[[Reference], JSON],
) -> CallRecord:
    job = known.job(number)
    return CallRecord(
        execution=execution,
        number=number,
        name=known.name(number),
        job=job,
        config={name: filled(value, look_up) for name, value in job.config.items()},
    )


def _standing(run: Transaction, execution: ExecutionId) -> Standing | None:
    row = run.row(execution_rows.standing_of, {"p_execution": execution})
    if row is None:
        return None
    workflow, state, *rest = row
    return Standing(workflow, ExecutionState(state), *rest)


def _same_as_before(run: Transaction, known: KnownWorkflow, key: str | None) -> ExecutionId:
    row = run.row(execution_rows.execution_of_key, {"p_key": key})
    assert row is not None, "an id is never drawn twice, so it was the key"
    if row[1] != known.id:
        raise KeyReused(
            f"the key {key!r} was used for another workflow, execution {row[0]}; choose a new key"
        )
    return ExecutionId(row[0])


def _held(execution: ExecutionId, end: JobEnd) -> Values:
    return {"p_owner": execution, "p_number": end.number, "p_token": end.token}


def _settle_tasks(
    run: Transaction,
    course: Course,
    ends: Sequence[JobEnd],
) -> list[End]:
    """Let tasks leave whose jobs are over, and the others wait for their next attempt."""
    execution = course.execution
    again_after = _delays(run, course, ends)
    over: list[End] = []
    gone: list[Values] = []
    for end in ends:
        if end.result is AttemptResult.SUCCEEDED:
            gone.append(_held(execution, end))
            outputs = end.outputs.decode()
            over.append(End(number=end.number, event=Succeed(), outputs=outputs, active=True))
        elif (delay := again_after[end.number]) is None:
            gone.append(_held(execution, end))
            over.append(End(number=end.number, event=Fail(reason=end.reason), active=True))
        else:
            _put_back(run, course, end, delay)
            course.tell(end.number, "retrying", end.reason)
    if gone:
        run.tell(task_rows.finish, gone)
    return over


def _delays(run: Transaction, course: Course, ends: Sequence[JobEnd]) -> dict[int, float | None]:
    """Seconds until each failed job is tried again; None for those that are not."""
    execution, failing = course.execution, course.standing.state is ExecutionState.FAILING
    failed = [end for end in ends if end.result is not AttemptResult.SUCCEEDED]
    keys: list[Values] = [{"p_execution": execution, "p_number": end.number} for end in failed]
    found: dict[int, float | None] = {}
    for end, row in zip(failed, run.each(job_queries.failures_of, keys), strict=True):
        own, lost = row or (0, 0)
        failures = Failures(own=own + end.own, lost=lost + (not end.own))
        delay = next_attempt(course.known.job(end.number), failures, own=end.own)
        found[end.number] = None if failing else delay
    return found


def _put_back(run: Transaction, course: Course, end: JobEnd, delay: float) -> None:
    execution = course.execution
    values: Values = {
        **_held(execution, end),
        "p_state": TaskState.PENDING,
        "p_due_at": course.standing.now + delay if delay else None,
        "p_rank": course.rank(end.number),
    }
    run.tell(task_rows.put_back, (values,))
    counted: Values = {
        "p_execution": execution,
        "p_number": end.number,
        "p_failures": int(end.own),
        "p_losses": int(not end.own),
    }
    run.tell(job_rows.count_failure, (counted,))


def _attempt_row(execution: ExecutionId, end: JobEnd, row: Row, now: float) -> AttemptRow:
    segment, index, holder, _ = row
    return AttemptRow(
        owner=execution,
        number=end.number,
        segment=segment,
        idx=index,
        token=end.token,
        result=end.result.value,
        worker=end.worker,
        session=holder,
        started_at=end.started_at,
        duration_s=end.duration_s,
        failure=None if end.failure is None else end.failure.decode(),
        ended_at=now,
    )
