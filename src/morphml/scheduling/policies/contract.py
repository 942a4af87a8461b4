"""The contract of a policy: the order in which tasks are claimed, and who gets each of them.

The order is a number written when a task is enqueued, so that a claim walks an index. A policy sees
waiting tasks only as the small window claimed for the free slots at hand (at most twice as many).
The suite that every policy passes is ``morphml.testing.policy_contract``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from morphml.ids import ExperimentId, TaskId

#: Lowest and highest priority; higher goes first.
PRIORITIES = (1, 10)
#: The priority of whoever says nothing.
DEFAULT_PRIORITY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is known of a task when it is enqueued."""

    experiment: ExperimentId
    #: Seconds since the Unix epoch when it could first run; kept over retries.
    first_ready_at: float
    #: 1 to 10; higher goes first.
    priority: int = DEFAULT_PRIORITY


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTask:
    """A task in the claimed window."""

    id: TaskId
    #: From ``Policy.rank``; smaller goes first.
    rank: float
    #: Labels that its worker must offer, such as ``gpu``.
    needs: frozenset[str] = frozenset()
    #: Workers that should not run it as long as another one can.
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOffer:
    """A live worker, whether or not it has room."""

    name: str
    #: Attempts that it can run at once; >= 1.
    slots: int
    #: Attempts that it may be sent now; from 0 to ``slots``.
    free: int
    #: Labels that it offers.
    labels: frozenset[str] = frozenset()

    def can_run(self, task: WaitingTask) -> bool:
        """Whether it offers what the task needs."""
        return task.needs <= self.labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A task and the worker that it is sent to."""

    task: TaskId
    worker: str


class Policy(Protocol):
    """Ranks tasks at enqueue and places those of a claimed window. Keeps no state of its own."""

    #: The name used in settings.
    name: str

    def rank(self, request: Request) -> float:
        """The order of claims, in seconds: smaller goes first. Fixed for the life of a task."""
        ...

    def place(
        self, window: Sequence[WaitingTask], workers: Sequence[WorkerOffer]
    ) -> list[Placement]:
        """Who runs what, in the order of dispatch; tasks left out go back to the queue.

        Args:
            window: tasks claimed, in any order.
            workers: all live workers.
        """
        ...
