"""One attempt as the engine sees it: its limits, why it is being ended, and how it ended.

No process or clock in here: times are handed in (seconds of a monotonic clock).
"""

from __future__ import annotations

import math
import signal
from dataclasses import dataclass, field
from enum import StrEnum

from morphml.engines.failure import failure
from morphml.engines.local.logs import LogStream
from morphml.engines.port import Assignment, Cancelled, Failed, Outcome, Succeeded
from morphml.scheduling.failures import FailureKind


class Doom(StrEnum):
    """Why the engine is ending an attempt."""

    CANCEL = "cancel"
    TIME_LIMIT = "time_limit"
    MEMORY = "memory"
    #: The experiment did not get ready in time.
    SETUP = "setup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the engine waits before it does worse."""

    #: Seconds for an evaluator to obey an order to cancel before it is interrupted.
    cancel_s: float = 0.5
    #: Seconds between SIGTERM and SIGKILL.
    grace_s: float = 2.0
    #: Seconds for an experiment to get ready in a child: imports and ``setup``.
    setup_s: float = 600.0
    #: Seconds between looks at the memory of attempts that have a limit.
    memory_s: float = 0.2
    #: Seconds that a retry waits for a worker that has not failed it, while others are free.
    elsewhere_s: float = 2.0


@dataclass(slots=True, kw_only=True)
class Attempt:
    """An attempt that was sent to a child."""

    assignment: Assignment
    patience: Patience
    #: When user code must have begun.
    setup_until: float
    #: When user code began, by the child's wall clock and by ours; 0.0 and None before.
    started_at: float = 0.0
    begun: float | None = None
    doom: Doom | None = None
    #: What to say about it.
    detail: str = ""
    interrupt_at: float = math.inf
    kill_at: float = math.inf
    logs: dict[str, LogStream] = field(
        default_factory=lambda: {"stdout": LogStream(), "stderr": LogStream()}
    )

    def begin(self, at: float, now: float) -> None:
        """User code began."""
        self.started_at = at
        self.begun = now

    def cancel(self, now: float) -> None:
        """The attempt is to be cancelled; it gets a moment to obey by itself."""
        if self.doom is None:
            self.doom = Doom.CANCEL
            self.interrupt_at = now + self.patience.cancel_s

    def exceed_memory(self, used: int, now: float) -> None:
        """The attempt used more than it may: no time is given."""
        if self.doom is None:
            limit = self.assignment.memory_limit_bytes or 0
            self.detail = f"used {used / 2**20:,.0f} MiB, the limit is {limit / 2**20:,.0f} MiB"
            self.doom = Doom.MEMORY
            self.kill_at = now

    @property
    def due(self) -> float:
        """When ``tick`` is to be called next."""
        if self.doom is not None:
            return min(self.interrupt_at, self.kill_at)
        if self.begun is None:
            return self.setup_until
        limit = self.assignment.time_limit_s
        return math.inf if limit is None else self.begun + limit

    def tick(self, now: float) -> signal.Signals | None:
        """The signal to send now, or None."""
        if now < self.due:
            return None
        if now >= self.kill_at:
            self.kill_at = math.inf
            return signal.SIGKILL
        if self.doom is None:
            self.doom = Doom.SETUP if self.begun is None else Doom.TIME_LIMIT
        self.interrupt_at = math.inf
        self.kill_at = now + self.patience.grace_s
        return signal.SIGTERM

    def outcome(self, told: Outcome, where: str) -> Outcome:
        """How the attempt ended, given what the child said and where it was interrupted."""
        if self.doom is None or (isinstance(told, Succeeded) and self.doom is not Doom.CANCEL):
            return told
        return self._doomed(where)

    def outcome_of_death(self, reason: str, *, together: bool = False) -> Outcome:
        """How the attempt ended when its child did not live to say it.

        Args:
            reason: of the child's death.
            together: all children died at that moment: the attempt is not the cause.
        """
        if self.doom is not None:
            return self._doomed("")
        if together:
            message = f"all worker processes ended: {reason}"
            return failure(FailureKind.LOST_WORKER, "WorkerLost", message)
        if self.begun is None:
            return failure(
                FailureKind.INFRASTRUCTURE,
                "WorkerError",
                f"the worker process ended while it loaded the evaluator: {reason}",
            )
        return failure(FailureKind.CRASH, "Crash", f"the worker process ended: {reason}")

    def _doomed(self, where: str) -> Outcome:
        match self.doom:
            case Doom.TIME_LIMIT:
                limit = self.assignment.time_limit_s
                what = "the evaluator" if self.assignment.job is None else "the job"
                return _interrupted(
                    FailureKind.TIME_LIMIT, f"{what} ran longer than {limit:g} s", where
                )
            case Doom.SETUP:
                limit = self.patience.setup_s
                return _interrupted(
                    FailureKind.INFRASTRUCTURE, f"setup took longer than {limit:g} s", where
                )
            case Doom.MEMORY:
                return _interrupted(FailureKind.OUT_OF_MEMORY, self.detail, where)
            case Doom.CANCEL | None:
                return Cancelled()


def _interrupted(kind: FailureKind, message: str, where: str) -> Failed:
    names = {
        FailureKind.TIME_LIMIT: "TimeLimit",
        FailureKind.OUT_OF_MEMORY: "MemoryLimit",
    }
    trace = f"interrupted at (most recent call last):\n{where}" if where else ""
    return failure(kind, names.get(kind, "SetupTimeout"), message, trace)


def reason_of(status: int) -> str:
    """What an exit status means, for people."""
    if status >= 0:
        return f"exit code {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    hint = ""
    if -status == signal.SIGKILL:
        hint = " (by hand, or by the kernel because memory ran out)"
    return f"killed by {name}{hint}"
