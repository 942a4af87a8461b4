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
    #: The last attempt's failure (kind, error_type, message, digest), or None.
    failure: Mapping[str, JSON] | None = None
