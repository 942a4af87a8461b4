"""Pure machines of scheduling, and the rules they follow.

Machines, each a value and a ``step(value, event) -> (value, commands)`` over one literal table of
transitions, each in its module: ``task``, ``worker``, ``breaker``, ``experiment``,
``driver_lease``. Rules: ``failures``, ``retry``, ``reaping``, ``policies``.
"""

from morphml.scheduling.failures import (
    INFRASTRUCTURE_KINDS,
    Failure,
    FailureKind,
    counts_for_quarantine,
)
from morphml.scheduling.retry import (
    ErrorSightings,
    GiveUp,
    Retry,
    RetryDecision,
    RetryRule,
    decide_retry,
)

__all__ = [
    "INFRASTRUCTURE_KINDS",
    "ErrorSightings",
    "Failure",
    "FailureKind",
    "GiveUp",
    "Retry",
    "RetryDecision",
    "RetryRule",
    "counts_for_quarantine",
    "decide_retry",
]
