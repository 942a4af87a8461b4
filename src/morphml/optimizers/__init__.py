"""Ask/tell optimizers: one algorithm per file, over the log of one experiment."""

from morphml.optimizers.contract import Optimizer, Proposal
from morphml.optimizers.events import (
    JSON,
    Answered,
    Asked,
    Cancelled,
    Event,
    Paused,
    Promoted,
    Rejected,
    Reported,
    Told,
)

__all__ = [
    "JSON",
    "Answered",
    "Asked",
    "Cancelled",
    "Event",
    "Optimizer",
    "Paused",
    "Promoted",
    "Proposal",
    "Rejected",
    "Reported",
    "Told",
]
