"""Rows of jobs, and of their tasks among those of trials."""

from __future__ import annotations

from collections.abc import Mapping

from morphml.ids import ExecutionId, ExperimentId, task_id
from morphml.scheduling.policies import Request, create_policy
from morphml.storage.classes import TransactionClasses
from morphml.storage.database import Transaction
from morphml.storage.rows import JobRow, TaskRow
from morphml.storage.statements import task_rows
from morphml.storage.states import TaskKind, TaskState
from morphml.storage.workflows.known import KnownWorkflow, is_part
from morphml.workflow import Job, JobState

#: The type of job whose work is an experiment; it holds no slot.
SEARCH = "search"


class Enqueuer:
    """Makes tasks for jobs in one transaction.

    Args:
        classes: of the transaction.
        policy: name of the policy that ranks them.

    Raises:
        SchedulingError: when there is no such policy.
    """

    def __init__(self, classes: TransactionClasses, policy: str) -> None:
        self._classes = classes
        self._policy = create_policy(policy)

    def rank(self, job: Job, ready_at: float) -> float:
        """Where the job stands among what waits, if it may run from ``ready_at``."""
        request = Request(
            experiment=ExperimentId(job.id), first_ready_at=ready_at, priority=job.priority
        )
        return self._policy.rank(request)

    def add(
        self,
        run: Transaction,
        execution: ExecutionId,
        known: KnownWorkflow,
        attempts: Mapping[int, int],
        now: float,
    ) -> None:
        """Make tasks that may be claimed at once.

        Args:
            run: the transaction.
            execution: whose.
            known: its workflow.
            attempts: numbers of the jobs and parts, each with its attempts that have ended: those
                of jobs that are run again are counted on.
            now: the database's time.
        """
        owner = ExperimentId(execution)
        # A class may have to be looked up: before the rows, since those wait for nothing.
        numbers = sorted(attempts)
        ids = [
            self._classes.of(run, owner, requirements_of(known.job(number))) for number in numbers
        ]
        rows = [
            TaskRow(
                owner=execution,
                number=number,
                segment=0,
                id=task_id(owner, number, 0),
                kind=TaskKind.JOB.value,
                from_epoch=0,
                to_epoch=0,
                class_id=class_id,
                rank=self.rank(known.job(number), now),
                state=TaskState.PENDING.value,
                due_at=None,
                attempts=attempts[number],
                holder=None,
                token=None,
                lost_token=None,
                lost_holder=None,
                leased_at=None,
            )
            for number, class_id in zip(numbers, ids, strict=True)
        ]
        run.add(task_rows.add_task, rows)


def requirements_of(job: Job) -> dict[str, float]:
    """What a job takes of its worker, as trials say it."""
    return {**job.resources, **dict.fromkeys(job.capabilities, 1.0)}


def new_job(execution: ExecutionId, number: int, known: KnownWorkflow) -> JobRow:
    """The row of a job or part that waits."""
    return JobRow(
        execution=execution,
        number=number,
        name=known.name(number),
        state=JobState.WAITING.value,
        reason="",
        waiting_for=0 if is_part(number) else len(known.job(number).depends_on),
        passed=0,
        barred=0,
        kept=0,
        failures=0,
        losses=0,
        priority=known.job(number).priority,
        ready_at=None,
        rank=None,
        item=None,
        outputs=None,
        experiment=None,
        ended_at=None,
    )
