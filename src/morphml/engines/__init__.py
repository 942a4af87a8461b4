"""How attempts reach machines: in process, local child processes, remote workers, a cluster."""

from __future__ import annotations

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
]
