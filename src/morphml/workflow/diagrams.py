"""The machines of this room, as the page of states shows them."""

from __future__ import annotations

from morphml.scheduling.diagrams import Machine, plain
from morphml.workflow import execution_life, job_life

MACHINES = (
    Machine(
        title="Execution",
        purpose="Whether the jobs of a workflow may begin, and how it ended.",
        table=plain(execution_life.TRANSITIONS),
        first=execution_life.ExecutionState.RUNNING,
    ),
    Machine(
        title="Job",
        purpose="When a job of an execution may begin, and how it ended.",
        table=plain(job_life.TRANSITIONS),
        first=job_life.JobState.WAITING,
    ),
)
