"""The evaluator contract: what a user's code is handed, may return, and is told."""

from __future__ import annotations

from morphml.evaluation.contract import Evaluator, NeedsSetup, SetupContext
from morphml.evaluation.metrics import MetricRules, check_result
from morphml.evaluation.orders import Order, TrialCancelled, TrialPaused, TrialStopped
from morphml.evaluation.segment import Segment, TrialChannel
from morphml.evaluation.source import EvaluatorSource
from morphml.evaluation.trial import Trial

__all__ = [
    "Evaluator",
    "EvaluatorSource",
    "MetricRules",
    "NeedsSetup",
    "Order",
    "Segment",
    "SetupContext",
    "Trial",
    "TrialCancelled",
    "TrialChannel",
    "TrialPaused",
    "TrialStopped",
    "check_result",
]
