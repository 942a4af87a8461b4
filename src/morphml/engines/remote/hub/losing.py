"""What becomes of attempts whose worker is gone, or does not have them any more."""

from __future__ import annotations

from morphml.engines.port import Failed, Returned, WorkerGone
from morphml.engines.remote.hub.attempt import Attempt, AttemptState, Moment
from morphml.engines.remote.hub.commands import CloseStream
from morphml.engines.remote.hub.ledger import Ledger
from morphml.engines.remote.hub.roster import Member
from morphml.ids import AttemptToken
from morphml.scheduling.failures import FailureKind

#: Why a worker is not here any more that went of its own accord.
LEFT = "left"


def give_up(
    ledger: Ledger, attempt: Attempt, now: Moment, why: str, *, alone: bool = False
) -> None:
    """Its worker is lost, or does not know it any more.

    Args:
        ledger: has the attempt.
        attempt: not over.
        now: when.
        why: what became of the worker.
        alone: nothing else had begun there, so that the attempt may be the cause.
    """
    if attempt.state is AttemptState.KILLED:
        ledger.forget(attempt)
    elif attempt.state is AttemptState.SENT:
        ledger.end_as(attempt, Returned(), now, lost=True)
    else:
        failed = Failed(
            kind=FailureKind.LOST_WORKER,
            error_type="WorkerLost",
            message=f"its worker {why}",
            alone=alone,
        )
        ledger.end_as(attempt, failed, now, lost=True)


def drop(ledger: Ledger, member: Member, token: AttemptToken, now: Moment, why: str) -> None:
    """The worker does not have the attempt any more, and there will be no word of it."""
    attempt = ledger.attempts.get(token)
    if attempt is None or attempt.worker != member.worker.id:
        ledger.release(member, token)
    elif attempt.state is not AttemptState.ENDED:
        give_up(ledger, attempt, now, why)


def lose(ledger: Ledger, member: Member, now: Moment, why: str) -> None:
    """Nothing more is to be expected of the worker.

    Of several attempts that had begun there none is blamed; one that ran alone may be the cause.
    """
    begun = [token for token in member.expected if _had_begun(ledger, member, token)]
    suspect = begun[0] if len(begun) == 1 and why != LEFT else None
    gone = WorkerGone(worker=member.registration.name, reason=why, at=now.epoch)
    touched = set()
    for token in list(member.expected):
        attempt = ledger.attempts.get(token)
        if attempt is not None and attempt.worker == member.worker.id:
            touched.add(attempt.name.owner)
        if token == suspect:
            give_up(ledger, ledger.attempts[token], now, why, alone=True)
        else:
            drop(ledger, member, token, now, why)
    for experiment in touched & ledger.groups.keys():
        ledger.tell(ledger.groups[experiment], gone)
    ledger.limbo.drop(member.worker.id)
    ledger.commands.append(CloseStream(member.worker.id, f"the worker {why}"))


def _had_begun(ledger: Ledger, member: Member, token: AttemptToken) -> bool:
    attempt = ledger.attempts.get(token)
    here = attempt is not None and attempt.worker == member.worker.id
    return here and ledger.attempts[token].state is AttemptState.STARTED
