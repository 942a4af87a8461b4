"""What an order means for an attempt that has not begun."""

from __future__ import annotations

from morphml.engines.port import Assignment, Cancelled, Order, Outcome, PausedAt, Stopped


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
