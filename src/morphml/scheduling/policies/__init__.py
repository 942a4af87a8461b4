"""Policies: who goes first, and where. One small file each."""

from collections.abc import Callable, Mapping

from morphml.scheduling.policies.contract import (
    DEFAULT_PRIORITY,
    PRIORITIES,
    Placement,
    Policy,
    Request,
    WaitingTask,
    WorkerOffer,
)
from morphml.scheduling.policies.fifo import Fifo
from morphml.scheduling.policies.placement import suitable
from morphml.scheduling.policies.priority import AGE_STEP_S, Priority

#: Every policy by the name used in settings.
POLICIES: Mapping[str, Callable[[], Policy]] = {"fifo": Fifo, "priority": Priority}

__all__ = [
    "AGE_STEP_S",
    "DEFAULT_PRIORITY",
    "POLICIES",
    "PRIORITIES",
    "Fifo",
    "Placement",
    "Policy",
    "Priority",
    "Request",
    "WaitingTask",
    "WorkerOffer",
    "suitable",
]
