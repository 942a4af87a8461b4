"""Executions of workflows: begun, taken on by whoever ends a job, steered and read."""

from __future__ import annotations

from morphml.storage.workflows.face import Workflows
from morphml.storage.workflows.records import (
    CallRecord,
    EventRecord,
    ExecutionRecord,
    JobEnd,
    JobRecord,
    OutputRecord,
    QueueSettings,
    SearchRecord,
    TaskCount,
)

__all__ = [
    "CallRecord",
    "EventRecord",
    "ExecutionRecord",
    "JobEnd",
    "JobRecord",
    "OutputRecord",
    "QueueSettings",
    "SearchRecord",
    "TaskCount",
    "Workflows",
]
