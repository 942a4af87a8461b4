"""How attempts reach machines: in process, local child processes, remote workers, a cluster."""

from __future__ import annotations

from morphml.engines.executions import execution_context
from morphml.engines.inprocess import InProcessEngine
from morphml.engines.local import LocalEngine
from morphml.engines.port import (
    Assignment,
    Cancelled,
    Checkpointed,
    Context,
    Engine,
    EngineEvent,
    Failed,
    Finished,
    JobCall,
    Logged,
    Order,
    Outcome,
    PausedAt,
    Reported,
    Started,
    Stopped,
    Succeeded,
    WorkerGone,
)

__all__ = [
    "Assignment",
    "Cancelled",
    "Checkpointed",
    "Context",
    "Engine",
    "EngineEvent",
    "Failed",
    "Finished",
    "InProcessEngine",
    "JobCall",
    "LocalEngine",
    "Logged",
    "Order",
    "Outcome",
    "PausedAt",
    "Reported",
    "Started",
    "Stopped",
    "Succeeded",
    "WorkerGone",
    "execution_context",
]
