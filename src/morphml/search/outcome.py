"""How a trial ended, as the driver tells it to the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from morphml.optimizers.events import JSON
from morphml.search.experiment import TrialState


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of a trial."""

    #: A final state.
    state: TrialState
    #: What the evaluator returned or last reported; empty after a failure.
    metrics: Mapping[str, float] = field(default_factory=dict)
    #: Seconds of evaluation of all segments together.
    duration_s: float = 0.0
    #: Epochs done.
    epochs: int = 0
    #: Of these, the ones that no earlier segment has counted; None where there was none.
    spent: int | None = None
    #: The last attempt's failure (kind, error_type, message, digest), or None.
    failure: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The end of a segment: the trial waits at a rung."""

    #: Epochs done there.
    step: int
    #: What the evaluator came to there; all objectives that are measured are in it.
    metrics: Mapping[str, float]
    #: Seconds of evaluation of this segment.
    duration_s: float
    #: Epochs that this segment trained; more than it is long where it had to begin anew.
    spent: int
    #: Epochs at the checkpoint that the next segment begins with; 0 for none.
    saved: int

    def body(self) -> dict[str, object]:
        """Of the log entry ``paused``."""
        return {
            "step": self.step,
            "metrics": dict(self.metrics),
            "duration": self.duration_s,
            "spent": self.spent,
            "saved": self.saved,
        }
