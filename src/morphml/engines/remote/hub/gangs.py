"""The gangs of a hub: what they decide is carried out in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from morphml.engines.port import EngineEvent, Finished, Order
from morphml.engines.remote.hub.attempt import Attempt, AttemptState, Moment
from morphml.engines.remote.hub.commands import SendOrder
from morphml.engines.remote.hub.gang import Gang, form
from morphml.scheduling.resources import Requirements

if TYPE_CHECKING:
    from morphml.engines.remote.hub.ledger import Ledger


class Gangs:
    """Those of which a member is at a worker.

    Args:
        ledger: has all attempts, members too.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._gangs: list[Gang] = []

    def __iter__(self) -> Iterator[Gang]:
        """In the order in which they began."""
        return iter(self._gangs)

    def form(self, head: Attempt, workers: Sequence[str]) -> tuple[Attempt, ...]:
        """The members of a gang that was placed at these workers."""
        ledger = self._ledger
        peers = [(worker, ledger.roster.members[worker].peer) for worker in workers]
        gang = form(head, peers, {each.rendezvous for each in self._gangs})
        self._gangs.append(gang)
        head.state = AttemptState.SENT
        fleet = ledger.scheduler.fleet
        for member in gang.members:  # its worker knows it by its own token
            ledger.attempts[member.token] = member
            fleet.give_back(member.worker, head.token)
            fleet.take(member.worker, member.token, Requirements.parse(member.requirements))
        return gang.members

    def pass_on(self, attempt: Attempt, event: EngineEvent) -> None:
        """Tell what happened to an attempt, as far as it counts; all does where it runs alone."""
        told = event if attempt.gang is None else attempt.gang.told(attempt, event)
        if told is not None:
            self._ledger.tell(self._ledger.group(attempt.name.owner), told)

    def ended(self, member: Attempt, end: Finished) -> None:
        """A member is over, and its worker's slot is free."""
        ledger, gang = self._ledger, member.gang
        assert gang is not None
        member.state = AttemptState.ENDED
        ledger.attempts.pop(member.token, None)
        ledger.fenced.add(member.token)
        if member.reported:
            ledger.confirm(member.token, member.worker)
        for words in gang.last_words(member):
            ledger.tell(ledger.group(member.name.owner), words)
        verdict = gang.ended(member, end)
        self._cancel(verdict.cancel)
        if verdict.end is not None:
            ledger.end(gang.head, verdict.end)

    def disband(self, gang: Gang) -> None:
        """Nobody wants the gang's head any more."""
        ledger = self._ledger
        gang.over = True
        self._gangs.remove(gang)
        for member in gang.here:
            member.state = AttemptState.KILLED
            ledger.fence(member.token, member.worker)
        ledger.fenced.add(gang.head.token)
        ledger.forget(gang.head)

    def hurry(self, now: Moment) -> None:
        """End members that go on for too long after their head. Cost: O(members)."""
        self._gangs = [gang for gang in self._gangs if gang.here]
        for gang in self._gangs:
            self._cancel(gang.overdue(now.monotonic))

    def clear(self) -> None:
        """Forget all."""
        self._gangs.clear()

    def _cancel(self, members: Iterable[Attempt]) -> None:
        for member in members:
            member.order = Order.CANCEL
            self._ledger.commands.append(SendOrder(member.worker, member.token, Order.CANCEL))
