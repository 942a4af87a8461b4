"""What the end of a job means for those that wait for it, and what becomes of those then.

Fan-in is counters on the waiting job, never a look at its parents: parents that end in two
transactions at once would each see the other as running, and the job would wait for ever. Whoever
keeps the rows adds ``share_of`` each parent's end to its children, and calls ``decide`` for those
whose ``waiting_for`` has come to 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from morphml.errors import WorkflowError
from morphml.optimizers.events import JSON
from morphml.workflow.conditions import parse_condition
from morphml.workflow.job import MAX_JOBS, Job, OnFailure
from morphml.workflow.job_life import JobState
from morphml.workflow.references import Reference, filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the parents of a job ended."""

    #: Parents that have not ended.
    waiting_for: int
    #: Parents after which it may run.
    passed: int = 0
    #: Parents that keep it from running: failed, cancelled, or skipped for such a reason.
    barred: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Both together, counter by counter."""
        return Tally(
            waiting_for=self.waiting_for + other.waiting_for,
            passed=self.passed + other.passed,
            barred=self.barred + other.barred,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """It is to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """It is to run once for each of these."""

    items: tuple[JSON, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipIt:
    """It is not to run."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailIt:
    """It cannot run: its condition or its list makes no sense with these values."""

    reason: str


Verdict: TypeAlias = Run | RunParts | SkipIt | FailIt


def share_of(parent: Job, state: JobState, *, barred: bool) -> Tally:
    """What the end of ``parent`` adds to the tally of each job that waits for it.

    Args:
        parent: the job that ended.
        state: how.
        barred: whether parents of its own kept it from running.
    """
    match state:
        case JobState.SUCCEEDED:
            return Tally(waiting_for=-1, passed=1)
        case JobState.FAILED if parent.on_failure is OnFailure.CONTINUE:
            return Tally(waiting_for=-1, passed=1)
        case JobState.SKIPPED if not barred:
            # A branch not taken: the job after two branches runs when one of them did.
            return Tally(waiting_for=-1)
        case JobState.FAILED | JobState.SKIPPED | JobState.CANCELLED:
            return Tally(waiting_for=-1, barred=1)
        case _:
            raise WorkflowError(f"job {parent.id} has not ended, it is {state}")


def decide(job: Job, tally: Tally, look_up: Callable[[Reference], JSON]) -> Verdict:
    """What becomes of ``job``, none of whose parents is under way any more.

    Args:
        job: the job.
        tally: how its parents ended.
        look_up: the value of a reference: None for what is not there.
    """
    if tally.barred:
        parents = f"{tally.barred} of the {len(job.depends_on)} jobs that it depends on"
        return SkipIt(reason=f"{parents} did not succeed")
    if job.depends_on and not tally.passed:
        return SkipIt(reason="all jobs that it depends on were skipped")
    try:
        if job.when is not None and not parse_condition(job.when).holds(look_up):
            return SkipIt(reason=f"{job.when} does not hold")
        return Run() if job.for_each is None else _parts(job, look_up)
    except WorkflowError as error:
        return FailIt(reason=str(error))


def _parts(job: Job, look_up: Callable[[Reference], JSON]) -> Verdict:
    items = filled(job.for_each, look_up)
    if not isinstance(items, list | tuple):
        return FailIt(reason=f"forEach: {job.for_each} gives no list but {items!r:.100}")
    if len(items) > MAX_JOBS:
        return FailIt(reason=f"forEach: at most {MAX_JOBS:,} parts, got {len(items):,}")
    return RunParts(items=tuple(items))
