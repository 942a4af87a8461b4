"""How an execution stands when a transaction on it begins, and jobs that are over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from morphml.workflow import ExecutionState, JobState
from morphml.workflow.job_life import Cancel, Fail, JobEvent, Skip, Succeed

_STATE_AFTER: Mapping[type[JobEvent], JobState] = {
    Succeed: JobState.SUCCEEDED,
    Fail: JobState.FAILED,
    Skip: JobState.SKIPPED,
    Cancel: JobState.CANCELLED,
}


class Standing(NamedTuple):
    """An execution when a transaction on it begins."""

    workflow: str
    state: ExecutionState
    #: Why it fails; empty otherwise.
    reason: str
    parallelism: int | None
    #: How often people had jobs of it run again.
    taken_up: int
    #: The database's time.
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A job or part that is over."""

    number: int
    event: JobEvent
    #: As JSON; None without any.
    outputs: str | None = None
    #: Whether it had a task, or an experiment.
    active: bool = False
    #: Whether parents kept it from running.
    kept: bool = False

    @property
    def state(self) -> JobState:
        """The state that it has from then on."""
        return _STATE_AFTER[type(self.event)]

    @property
    def reason(self) -> str:
        """Why, for people."""
        return "" if isinstance(self.event, Succeed) else str(getattr(self.event, "reason", ""))
