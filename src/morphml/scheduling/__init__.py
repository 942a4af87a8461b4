"""Pure machines of scheduling, and the rules they follow.

Machines, each a value and a ``step(value, event) -> (value, commands)`` over one literal table of
transitions, each in its module: ``task``, ``worker``, ``breaker``, ``experiment``,
``driver_lease``. Rules: ``failures``, ``retry``, ``reaping``, ``policies``.
"""

from morphml.scheduling.failures import ANSWERS, Answer, Failure, FailureKind, RetryBudget
from morphml.scheduling.retry import (
    ErrorSightings,
    GiveUp,
    Retry,
    RetryDecision,
    RetryRule,
    decide_retry,
)

__all__ = [
    "ANSWERS",
    "Answer",
    "ErrorSightings",
    "Failure",
    "FailureKind",
    "GiveUp",
    "Retry",
    "RetryBudget",
    "RetryDecision",
    "RetryRule",
    "decide_retry",
]
