"""Why an attempt failed, told apart because each kind is answered in another way.

``ANSWERS`` is the one table of that: which budget of retries a failure uses up, where the retry
goes, and whom it speaks against. ``docs/distributed/fault-tolerance.md`` shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from morphml.ids import AttemptToken


class FailureKind(StrEnum):
    """The cause of a failed attempt, as seen by whoever ran it."""

    #: The evaluator raised, or broke its contract (NaN, missing objective).
    USER_ERROR = "user_error"
    #: The attempt needed more memory than its limit or the device has.
    OUT_OF_MEMORY = "out_of_memory"
    #: The attempt ran longer than its time limit and was killed.
    TIME_LIMIT = "time_limit"
    #: The child process died without an answer (signal, ``os._exit``).
    CRASH = "crash"
    #: The worker vanished with the attempt.
    LOST_WORKER = "lost_worker"
    #: The machine took the slot back (spot instance, node drain, higher priority).
    PREEMPTED = "preempted"
    #: It failed before user code began: import, data, CUDA, disk.
    INFRASTRUCTURE = "infrastructure"


class RetryBudget(StrEnum):
    """What a retry is taken from; the budgets of a task are counted apart."""

    #: Nothing: it would end the same way again.
    NONE = "none"
    #: The task's own retries: the fault is its own, or that of one worker.
    OWN = "own"
    #: Retries for which the machines are to blame.
    MACHINES = "machines"
    #: Retries for which nobody is to blame.
    INNOCENT = "innocent"


class AgainstTask(StrEnum):
    """When a failure counts for the quarantine of its task."""

    NEVER = "never"
    #: It was the only one that ran on the worker that vanished.
    ALONE = "alone"
    #: Its own child died.
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What follows from one kind of failure."""

    #: Where the retry is taken from.
    budget: RetryBudget
    #: The retry goes to another worker, as long as one could run it.
    avoids_worker: bool
    #: No retry once two workers have shown the same error.
    ends_when_widespread: bool = False
    #: It may open its worker's breaker, unless other workers show the same.
    against_worker: bool = False
    #: When it counts for the quarantine of the task.
    against_task: AgainstTask = AgainstTask.NEVER


ANSWERS: Mapping[FailureKind, Answer] = {
    FailureKind.USER_ERROR: Answer(
        budget=RetryBudget.OWN, avoids_worker=True, ends_when_widespread=True, against_worker=True
    ),
    FailureKind.OUT_OF_MEMORY: Answer(
        budget=RetryBudget.OWN,
        avoids_worker=True,
        against_worker=True,
        against_task=AgainstTask.ALWAYS,
    ),
    FailureKind.CRASH: Answer(
        budget=RetryBudget.OWN,
        avoids_worker=True,
        against_worker=True,
        against_task=AgainstTask.ALWAYS,
    ),
    FailureKind.TIME_LIMIT: Answer(budget=RetryBudget.NONE, avoids_worker=False),
    FailureKind.INFRASTRUCTURE: Answer(
        budget=RetryBudget.MACHINES, avoids_worker=True, against_worker=True
    ),
    FailureKind.LOST_WORKER: Answer(
        budget=RetryBudget.INNOCENT, avoids_worker=False, against_task=AgainstTask.ALONE
    ),
    FailureKind.PREEMPTED: Answer(budget=RetryBudget.INNOCENT, avoids_worker=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed attempt, as it is kept with its task."""

    kind: FailureKind
    #: Name of the worker that ran it.
    worker: str
    #: Seconds since the Unix epoch.
    at: float
    #: Digest of the error's type and place; equal errors have equal ones. Empty when unknown.
    digest: str = ""
    #: What a person reads.
    message: str = ""
    #: The attempt that it ended; None where nobody asks.
    token: AttemptToken | None = None
    #: No other attempt ran on its worker when that vanished: it may be the cause.
    alone: bool = False
    #: The GPUs that it saw; "" for none that were chosen.
    gpus: str = ""

    @property
    def witness(self) -> str:
        """Who showed it: a machine, whatever slot of it, or on one's own machine a GPU or slot."""
        machine, slash, _ = self.worker.partition("/")
        return f"GPU {self.gpus}" if self.gpus and not slash else machine

    @property
    def budget(self) -> RetryBudget:
        """Where its retry is taken from."""
        if self.counts_for_quarantine and self.kind is FailureKind.LOST_WORKER:
            return RetryBudget.MACHINES
        return ANSWERS[self.kind].budget

    @property
    def counts_for_quarantine(self) -> bool:
        """Whether it speaks against its task.

        Only an attempt whose own child died does, or one that ran alone on a worker that vanished:
        of eight that ran there, seven at least are innocent.
        """
        against = ANSWERS[self.kind].against_task
        return against is AgainstTask.ALWAYS or (against is AgainstTask.ALONE and self.alone)
