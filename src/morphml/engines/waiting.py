"""What an order means for an attempt that has not begun."""

from __future__ import annotations

from morphml.engines.port import (
    Assignment,
    Cancelled,
    Finished,
    Order,
    Outcome,
    PausedAt,
    Stopped,
)


def outcome_before_start(assignment: Assignment, order: Order) -> Outcome | None:
    """How the attempt ends without having begun, or None when it is to run."""
    match order:
        case Order.CONTINUE:
            return None
        case Order.CANCEL:
            return Cancelled()
        case Order.STOP:
            return Stopped(metrics={})
        case Order.PAUSE:
            return PausedAt(step=assignment.from_epoch)


def end_unbegun(assignment: Assignment, outcome: Outcome, at: float) -> Finished:
    """The end of an attempt that has not begun, at ``at`` seconds since the Unix epoch."""
    return Finished(
        token=assignment.token, outcome=outcome, worker="", started_at=at, duration_s=0.0
    )
