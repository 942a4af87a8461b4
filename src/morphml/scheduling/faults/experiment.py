"""A breaker for one experiment: where nothing works, another hundred trials say no more.

Before the first result the experiment is given up after ten failed trials, or after one where no
evaluator could even begin. After it, a row of trials that all fail alike, longer than chance can
explain, pauses the experiment: data or a device went away, and a person may bring it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from morphml.scheduling.failures import FailureKind
from morphml.scheduling.faults.chance import surprising_row

#: Trials that fail before any succeeds, after which a run gives up and shows the first error; and
#: the shortest row of equal failures that pauses a run in which trials had succeeded.
HOPELESS = 10
#: Probability below which a row of equal failures is more than chance.
CHANCE = 1e-6
#: Failures that may come from outside: those of memory and time are an architecture's own.
_OUTSIDE = frozenset({FailureKind.USER_ERROR, FailureKind.INFRASTRUCTURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorBegan:
    """An evaluator was called: its code, data and device could be loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialWorked:
    """A trial has a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptBroke:
    """An attempt failed; it may be tried again."""

    kind: FailureKind
    #: Equal for equal errors.
    digest: str
    #: What a person reads.
    error: str
    #: Whether something was raised, rather than a child that died.
    raised: bool
    #: Whether an earlier attempt at the same task failed with the same error.
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBroke:
    """A trial failed for good, with the attempt that broke last."""


ExperimentFaultEvent: TypeAlias = EvaluatorBegan | TrialWorked | AttemptBroke | TrialBroke


@dataclass(frozen=True, slots=True, kw_only=True)
class StopExperiment:
    """Ask for nothing more, and end when what runs has ended."""

    #: ``failed``: it never worked. ``paused``: it did, and may again when somebody has mended it.
    state: Literal["failed", "paused"]
    #: What a person reads, with the first error.
    reason: str


class ExperimentBreaker:
    """What the attempts of one run came to.

    Args:
        worked: trials with a result in earlier runs.
        failed: trials that failed in earlier runs.
    """

    def __init__(self, *, worked: int = 0, failed: int = 0) -> None:
        self._worked_before = worked
        self._failed_before = failed
        #: Trials of this run with a result.
        self._worked = 0
        self._began = False
        #: Trials of this run that failed.
        self._failed = 0
        self._first: AttemptBroke | None = None
        self._last: AttemptBroke | None = None
        self._alike = True
        self._again = False
        #: Attempts of this run that failed.
        self._broke = 0
        #: Trials in a row that failed with the same error, and that error.
        self._row = 0
        self._row_of: AttemptBroke | None = None

    def step(self, event: ExperimentFaultEvent) -> None:
        """Take in what happened; ``verdict`` and the others say what follows."""
        match event:
            case EvaluatorBegan():
                self._began = True
            case TrialWorked():
                self._worked += 1
                self._row, self._row_of = 0, None
            case AttemptBroke():
                self._first = self._first or event
                self._last = event
                self._broke += 1
                self._alike = self._alike and event.raised and event.digest == self._first.digest
                self._again = self._again or event.again
            case TrialBroke():
                self._failed += 1
                self._lengthen_row()
            case _:
                assert_never(event)

    def _lengthen_row(self) -> None:
        last, before = self._last, self._row_of
        if last is None or last.kind not in _OUTSIDE:
            self._row, self._row_of = 0, None
        elif before is not None and before.digest == last.digest:
            self._row += 1
        else:
            self._row, self._row_of = 1, last

    def waits(self, pending: int) -> bool:
        """Whether new trials wait for what retries show.

        They do until an evaluator could be called at all, and where so many attempts as make a run
        hopeless all raised the same error and nothing ever worked: while retries wait for another
        worker to be there, the first one would use up the whole budget. Where no trial is left that
        could be tried again, only a new one can say more.

        Args:
            pending: trials that run or are to be tried again.
        """
        if not pending or self._first is None:
            return False
        if not self._works:
            return True
        worked = self._worked_before + self._worked
        return not worked and self._alike and self._broke >= HOPELESS

    @property
    def in_vain(self) -> bool:
        """Whether more retries would say no more.

        Nothing even began in this run, and a task that was tried again, elsewhere where there is
        another worker, raised the one error that all attempts raised: ``setup`` or an import fails
        by itself. A child that dies while it loads is no such error: the node may be at fault.
        """
        return not self._works and self._again and self._alike

    @property
    def _works(self) -> bool:
        """Whether an evaluator was called in this run."""
        return self._began or self._worked > 0

    @property
    def verdict(self) -> StopExperiment | None:
        """Whether the run is to end; taken back where what still ran does work after all."""
        if self._first is None or not self._failed:
            return None
        error = self._first.error
        if not self._works:
            reason = f"no evaluator could begin, whatever was tried: {error}"
            if self._worked_before:
                return StopExperiment(state="paused", reason=f"{reason}; mend it, then resume")
            return StopExperiment(state="failed", reason=reason)
        if self._worked_before or self._worked:
            return self._paused()
        if self._failed < HOPELESS:
            return None
        reason = f"the first {self._failed} trials all failed: {error}"
        return StopExperiment(state="failed", reason=reason)

    def _paused(self) -> StopExperiment | None:
        if self._row_of is None:
            return None
        failed = self._failed_before + self._failed - self._row
        worked = self._worked_before + self._worked
        usual = surprising_row(failed, failed + worked, CHANCE)
        if self._row < max(HOPELESS, usual):
            return None
        reason = (
            f"the last {self._row} trials all failed alike, after {worked} that did not: "
            f"{self._row_of.error}; mend it, then resume"
        )
        return StopExperiment(state="paused", reason=reason)
