"""What the scheduler is told of attempts: what waits, what it did not place, and how all ended."""

from __future__ import annotations

from morphml.engines.port import Finished, PausedAt, Stopped, Succeeded
from morphml.engines.remote.hub.attempt import Attempt, Moment
from morphml.engines.remote.hub.ledger import Ledger
from morphml.engines.remote.hub.roster import Member
from morphml.scheduling.resources import Requirements
from morphml.scheduling.waiting import WaitingTask


def waiting_task(attempt: Attempt) -> WaitingTask:
    """The attempt as the scheduler sees it.

    Raises:
        RequirementsError: when what it needs makes no sense.
    """
    assignment = attempt.assignment
    return WaitingTask(
        token=attempt.token,
        experiment=attempt.name.owner,
        rank=0.0 if assignment is None else assignment.rank,
        needs=Requirements.parse(attempt.requirements),
        avoid=attempt.avoid,
        affinity=() if assignment is None else assignment.affinity,
        cost=None if assignment is None else assignment.cost,
    )


def adopt(ledger: Ledger, attempt: Attempt, member: Member, now: Moment) -> None:
    """A worker has an attempt that was not sent to it by a decision that still stands."""
    ledger.put(attempt, member)
    ledger.scheduler.adopt(waiting_task(attempt), member.worker.id, now.monotonic)


def learn(ledger: Ledger, attempt: Attempt, end: Finished, now: Moment) -> None:
    """Its worker says how the attempt ended: who is how fast follows from that.

    Of a gang, the own end of rank 0 says it of all.
    """
    succeeded = isinstance(end.outcome, Succeeded | Stopped | PausedAt)
    gang = attempt.gang
    if gang is not None and not (succeeded and attempt is gang.members[0]):
        return
    ledger.scheduler.ended(
        attempt.head.token, seconds=end.duration_s, succeeded=succeeded, now=now.monotonic
    )
