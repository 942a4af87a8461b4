"""The contract of a policy: the order of claims, the order of what was claimed, and who gets it.

The first is a number written when a task is enqueued, so that a claim walks an index of the store.
A policy then sees waiting tasks only as the small window that was claimed for the free slots at
hand, and orders them and the workers. The suite that every policy passes is
``morphml.testing.policy_contract``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.placing import Placing
from morphml.scheduling.seat import Ahead, Key, Seat
from morphml.scheduling.waiting import WaitingTask

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


@dataclass(frozen=True, slots=True)
class Choice:
    """A task that waits no more, and who gets it."""

    task: WaitingTask
    #: One worker, or as many different ones as the task's gang has.
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A task was sent to a worker."""

    task: WaitingTask
    worker: Seat
    #: Seconds of the scheduler's clock.
    at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A task ran at a worker, and ended there by its own doing."""

    task: WaitingTask
    worker: Seat
    #: Seconds that it ran.
    seconds: float
    #: Whether it gave a result; one that failed says nothing about speed.
    succeeded: bool
    #: Seconds of the scheduler's clock.
    at: float


@dataclass(frozen=True, slots=True)
class Left:
    """A task lies at its worker no more, and nobody knows how it went."""

    task: WaitingTask
    worker: Seat


Observation: TypeAlias = Placed | Ended | Left


class Queue(Protocol):
    """The tasks that were claimed and not placed."""

    def add(self, task: WaitingTask) -> None:
        """A task waits from now on. Its token is not among those that wait."""
        ...

    def remove(self, token: AttemptToken) -> WaitingTask | None:
        """Take a task out, wherever it stands; None when it is not here."""
        ...

    def next(self, now: float) -> Choice | None:
        """Take the next task out that some worker has room for; None when there is none.

        Args:
            now: seconds of a clock that never goes back.
        """
        ...

    def due(self) -> float:
        """When ``next`` may find something though nothing happened meanwhile; infinity for never.

        It may be a time that has come.
        """
        ...

    def __len__(self) -> int:
        """How many wait."""
        ...

    def __iter__(self) -> Iterator[WaitingTask]:
        """All that wait, in any order."""
        ...


class Policy(Protocol):
    """Ranks tasks at enqueue, orders those that were claimed, and the workers.

    What it learns is rebuilt after a restart and never stored. The rank may depend on nothing but
    the request and the policy's settings: all masters of a store must agree on it.
    """

    #: The name used in settings.
    name: str
    #: Whether it looks at what tasks cost, which takes time to find out.
    weighs: bool
    #: What may be queued at workers; None leaves it to whoever runs the scheduler.
    ahead: Ahead | None

    def rank(self, request: Request) -> float:
        """The order of claims, in seconds: smaller goes first. Fixed for the life of a task."""
        ...

    def key(self, seat: Seat) -> Key:
        """The order of workers with room, smallest first; asked whenever the worker changed.

        Workers that can start it at once go before those where it would be queued in any case.
        """
        ...

    def queue(self, placing: Placing) -> Queue:
        """An empty queue whose choices are made with ``placing``."""
        ...

    def observe(self, event: Observation) -> None:
        """Learn from what happened, before the worker's key is asked for."""
        ...
