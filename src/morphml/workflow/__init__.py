"""Workflows: DAGs of jobs, checked and driven by pure machines."""

from __future__ import annotations

from morphml.workflow.execution_life import ExecutionState
from morphml.workflow.job import Job, OnFailure, Outputs
from morphml.workflow.job_life import JobState
from morphml.workflow.machine import (
    Command,
    EndExecution,
    ExecutionMachine,
    StartJob,
    StopJob,
)
from morphml.workflow.reading import parse_workflow, read_workflow
from morphml.workflow.workflow import Workflow

__all__ = [
    "Command",
    "EndExecution",
    "ExecutionMachine",
    "ExecutionState",
    "Job",
    "JobState",
    "OnFailure",
    "Outputs",
    "StartJob",
    "StopJob",
    "Workflow",
    "parse_workflow",
    "read_workflow",
]
