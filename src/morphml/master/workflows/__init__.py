"""Executions of workflows over a store that masters share."""

from __future__ import annotations

from morphml.master.workflows.executions import Executions
from morphml.master.workflows.views import (
    ExecutionEvent,
    ExecutionView,
    JobView,
    LockView,
    LogLine,
    Page,
    QueueStats,
    TaskView,
)

__all__ = [
    "ExecutionEvent",
    "ExecutionView",
    "Executions",
    "JobView",
    "LockView",
    "LogLine",
    "Page",
    "QueueStats",
    "TaskView",
]
