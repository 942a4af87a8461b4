"""Workflows: DAGs of jobs, checked and driven by pure machines.

What reads documents is loaded when it is first used: a master without executions, and each worker,
saves 9 MB.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

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
from morphml.workflow.workflow import Workflow

if TYPE_CHECKING:
    from morphml.workflow.reading import parse_workflow, read_workflow

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


def __getattr__(name: str) -> object:
    """Load the reader of documents (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("morphml.workflow.reading"), name)
