"""Names of things, and the one digest that all stored ids are made with."""

from __future__ import annotations

import hashlib
import secrets
from typing import NewType

#: Hash of the canonical model graph: equal ids mean that the same network is built.
GraphId = NewType("GraphId", str)
#: Hash of graph and remaining decisions: duplicates in an experiment are judged by it.
PointId = NewType("PointId", str)
#: Name of an experiment in the store: short, sortable by nothing, chosen at random.
ExperimentId = NewType("ExperimentId", str)
#: Name of an execution of a workflow: ``x`` and 12 hexadecimal digits. Whatever owns tasks may be
#: one of both, and the letter tells them apart.
ExecutionId = NewType("ExecutionId", str)
#: Name of a task in the store.
TaskId = NewType("TaskId", str)
#: Random 128-bit secret of one attempt, 32 hexadecimal digits. Never a counter: counters roll back.
AttemptToken = NewType("AttemptToken", str)
#: Random name of the life of one master; never reused.
SessionId = NewType("SessionId", str)


def digest(data: bytes) -> str:
    """The 128-bit BLAKE2b digest of ``data`` as 32 hexadecimal digits; stable for ever."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def task_id(experiment: ExperimentId, number: int, segment: int) -> TaskId:
    """The task that runs one segment of a trial; the same for every attempt and every driver."""
    return TaskId(f"{experiment}-{number}-{segment}")


def new_experiment_id() -> ExperimentId:
    """A fresh random experiment id of 10 hexadecimal digits."""
    return ExperimentId(secrets.token_hex(5))


def new_execution_id() -> ExecutionId:
    """A fresh random execution id."""
    return ExecutionId(f"x{secrets.token_hex(6)}")


def is_execution(owner: str) -> bool:
    """Whether the owner of a task is an execution; else it is an experiment."""
    return owner.startswith("x")


def new_token() -> AttemptToken:
    """A fresh random attempt token."""
    return AttemptToken(secrets.token_hex(16))


def new_session_id() -> SessionId:
    """A fresh random session id."""
    return SessionId(secrets.token_hex(16))
