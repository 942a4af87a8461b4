"""What workers say to a hub, and what follows. No word of a worker is taken without a check."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import TypeAlias

from morphml.engines.port import Checkpointed, Finished, Logged, Reported, Returned, Started
from morphml.engines.remote.hub.attempt import LIVE, Attempt, AttemptState, Moment
from morphml.engines.remote.hub.commands import AskRecords, SendDrain, SendOrder, SendVerdict
from morphml.engines.remote.hub.dispatch import Dispatch
from morphml.engines.remote.hub.ledger import Ledger
from morphml.engines.remote.hub.limbo import Unknown
from morphml.engines.remote.hub.losing import LEFT, drop, give_up, lose
from morphml.engines.remote.hub.preparing import tell_of_all
from morphml.engines.remote.hub.roster import Member
from morphml.engines.remote.hub.schedule import adopt, learn
from morphml.engines.remote.messages import AttemptName, Beat, Registration
from morphml.ids import AttemptToken
from morphml.scheduling.resources import Requirements
from morphml.scheduling.worker import WorkerState

_LOG = logging.getLogger(__name__)

#: Beats in a row that do not show an attempt, after which the worker does not have it.
_MISSED = 2

Event: TypeAlias = Started | Reported | Logged | Checkpointed | Finished


class WorkerSide:
    """Attempts from the side of whoever runs them.

    Args:
        ledger: shared with the drivers' side.
        dispatch: sends what waits.
    """

    def __init__(self, ledger: Ledger, dispatch: Dispatch) -> None:
        self._ledger = ledger
        self._dispatch = dispatch

    # --- coming and going ------------------------------------------------------------------------

    def announce(self, registration: Registration, peer: str, now: Moment) -> None:
        """A worker joins or comes back, with what it has."""
        ledger, worker = self._ledger, registration.worker
        named = {name.token: name for name in registration.attempts}
        offered = {name.token: name for name in registration.results}
        before = ledger.roster.members.get(worker)
        had = () if before is None else tuple(before.expected)
        member, commands = ledger.roster.announce(registration, tuple(named), peer, now)
        member.expected = dict.fromkeys([*named, *offered], 0)
        held = {t: _requirements(ledger.attempts.get(t)) for t in named}
        ledger.roster.settle(member, held)
        questions = [
            name
            for name in (named | offered).values()
            if self._recall(name, member, name.token in named, now)
        ]
        for token in had:
            if token not in named and token not in offered:
                drop(ledger, member, token, now, "came back without it")
        ledger.dismiss(member, commands)
        tell_of_all(ledger, member)
        self._ask(worker, questions)
        self._dispatch.fill(now)

    def _recall(self, name: AttemptName, member: Member, runs: bool, now: Moment) -> bool:
        """What becomes of an attempt that a worker announced; whether the store is to be asked."""
        ledger, worker, token = self._ledger, member.worker.id, name.token
        attempt = ledger.attempts.get(token)
        if attempt is None:
            if token in ledger.fenced:
                ledger.fence(token, worker)
                return False
            # What is only offered is judged when it comes.
            return runs and ledger.limbo.add(name, worker, asked=True)
        if attempt.worker != worker or attempt.name != name:
            ledger.fence_at(token, worker)
        elif attempt.state in LIVE:
            if attempt.state is AttemptState.SENT:
                attempt.state = AttemptState.ACCEPTED
            if runs:
                ledger.commands.append(SendVerdict(worker, token, keep=True))
            if attempt.order is not None:
                ledger.commands.append(SendOrder(worker, token, attempt.order))
        elif attempt.state is AttemptState.KILLED:
            ledger.fence(token, worker)
        elif runs and attempt.given_up:
            self._revive(attempt, member, now)
        elif runs:
            ledger.fence_at(token, worker)
        return False

    def _revive(self, attempt: Attempt, member: Member, now: Moment) -> None:
        """It was given up, and its worker is back: take that back where nobody knows it yet."""
        ledger, worker = self._ledger, member.worker.id
        if attempt.taken:
            ledger.limbo.add(attempt.name, worker, asked=False)
            return
        assert attempt.end is not None
        ledger.group(attempt.name.owner).withdraw(attempt.end)
        began = attempt.began_at is not None
        attempt.state = AttemptState.STARTED if began else AttemptState.ACCEPTED
        attempt.end, attempt.given_up = None, False
        adopt(ledger, attempt, member, now)
        ledger.commands.append(SendVerdict(worker, attempt.token, keep=True))

    def broke(self, worker: str, now: Moment) -> None:
        """Its stream ended without a goodbye."""
        member = self._ledger.roster.live(worker)
        if member is not None:
            self._ledger.roster.broke(member, now)
            name = member.registration.name
            _LOG.info("worker %s: its connection broke; it is %s", name, member.worker.state)

    def drains(self, worker: str) -> None:
        """It takes nothing more."""
        member = self._ledger.roster.live(worker)
        if member is not None:
            self._ledger.roster.drains(member)

    def left(self, worker: str, now: Moment) -> None:
        """It said goodbye."""
        member = self._ledger.roster.live(worker)
        if member is not None:
            self._ledger.roster.left(member)
            lose(self._ledger, member, now, LEFT)
            self._ledger.faults.left(worker)
            self._dispatch.fill(now)

    def drain(self, worker: str, reason: str, grace_s: float | None) -> bool:
        """A person or an autoscaler wants it gone; whether it is here."""
        member = self._ledger.roster.live(worker)
        if member is None:
            return False
        self._ledger.roster.drain(member)
        self._ledger.commands.append(SendDrain(worker, reason, grace_s))
        return True

    def congested(self, worker: str) -> bool:
        """Whether it tells more than is taken, so that it should not be read for now."""
        swollen = self._ledger.swollen
        member = self._ledger.roster.live(worker) if swollen else None
        if member is None:
            return False
        attempts = (self._ledger.attempts.get(token) for token in member.expected)
        return any(each is not None and each.name.owner in swollen for each in attempts)

    # --- what it has -----------------------------------------------------------------------------

    def heard(self, worker: str, now: Moment) -> None:
        """Any message came."""
        member = self._ledger.roster.members.get(worker)
        suspect = member is not None and member.worker.state is WorkerState.SUSPECT
        self._ledger.roster.heard(worker, now)
        if suspect:
            self._dispatch.fill(now)

    def beat(self, worker: str, beat: Beat, now: Moment) -> None:
        """Compare what it has with what it should have. Cost: O(what it has)."""
        ledger = self._ledger
        member = ledger.roster.live(worker)
        if member is None:
            return
        ledger.roster.measured(member, beat)
        ledger.health.measured(member, now)
        shown = {*beat.running, *beat.queued, *beat.unacknowledged}
        expected = member.expected
        for token in [t for t in expected if t not in shown]:
            attempt = ledger.attempts.get(token)
            if attempt is not None and attempt.state is AttemptState.SENT:
                continue  # it has a time of its own
            expected[token] += 1
            if expected[token] >= _MISSED:
                self._missing(member, token, now)
        for token in (*beat.running, *beat.queued):
            if token in expected:
                expected[token] = 0
                self._seen(token)
            elif ledger.limbo.get(token) is None:
                ledger.fence_at(token, worker)
        for token in beat.unacknowledged:
            if token in expected:
                expected[token] = 0
        self._dispatch.fill(now)

    def _missing(self, member: Member, token: AttemptToken, now: Moment) -> None:
        ledger = self._ledger
        attempt = ledger.attempts.get(token)
        if attempt is not None and attempt.state is AttemptState.ACCEPTED:
            ledger.give_back(attempt, now)
        else:
            ledger.limbo.pop(token)
            drop(ledger, member, token, now, "does not show it any more")
            ledger.fence(token, member.worker.id)

    def _seen(self, token: AttemptToken) -> None:
        attempt = self._ledger.attempts.get(token)
        if attempt is not None and attempt.state is AttemptState.SENT:
            attempt.state = AttemptState.ACCEPTED

    def accepted(self, worker: str, tokens: Iterable[AttemptToken]) -> None:
        """The tasks lie in its memory."""
        for token in tokens:
            attempt = self._ledger.attempts.get(token)
            if attempt is None or attempt.worker != worker:
                self._unknown(token, worker)
            elif attempt.state is AttemptState.SENT:
                attempt.state = AttemptState.ACCEPTED

    # --- what happens to it ----------------------------------------------------------------------

    def event(self, worker: str, event: Started | Reported | Logged | Checkpointed) -> None:
        """Something about a running attempt."""
        ledger, token = self._ledger, event.token
        attempt = ledger.attempts.get(token)
        if attempt is None or attempt.worker != worker:
            unknown = ledger.limbo.get(token)
            if unknown is not None and unknown.worker == worker:
                if not isinstance(event, Checkpointed):
                    ledger.limbo.keep(unknown, event)
            else:
                self._unknown(token, worker)
            return
        if attempt.state not in LIVE:
            return
        if isinstance(event, Started):
            if attempt.state is AttemptState.STARTED:
                return  # said again after a break
            attempt.state = AttemptState.STARTED
            attempt.slot, attempt.began_at = event.worker, event.at
        elif attempt.state is AttemptState.SENT:
            attempt.state = AttemptState.ACCEPTED
        ledger.gangs.pass_on(attempt, event)

    def result(self, worker: str, name: AttemptName, end: Finished, now: Moment) -> None:
        """An attempt is over, says its worker; it may say so again."""
        ledger, token = self._ledger, name.token
        attempt = ledger.attempts.get(token)
        if attempt is None:
            self._unknown_result(worker, name, end)
        elif attempt.worker != worker or attempt.name != name:
            self._suspect(worker)
            ledger.fence_at(token, worker)
            ledger.confirm(token, worker)
        elif attempt.state is AttemptState.KILLED:
            ledger.confirm(token, worker)
            ledger.forget(attempt)
            self._dispatch.fill(now)
        elif attempt.state is AttemptState.ENDED:
            self._second_result(attempt, worker, end)
        else:
            learn(ledger, attempt, end, now)
            attempt.reported = True
            ledger.faults.ended(attempt, end, now)
            ledger.end(attempt, end)
            self._dispatch.fill(now)

    def _suspect(self, worker: str) -> None:
        member = self._ledger.roster.members.get(worker)
        if member is not None and not member.lied:
            member.lied = True
            name = member.registration.name
            _LOG.warning("worker %s sends results of attempts that it does not have", name)

    def _second_result(self, attempt: Attempt, worker: str, end: Finished) -> None:
        """A result of what is over: a repeat, or the truth about what was given up."""
        ledger = self._ledger
        if not attempt.given_up:
            if attempt.token in ledger.fenced:
                ledger.confirm(attempt.token, worker)
            return  # it is acknowledged when it is stored
        if attempt.taken:
            ledger.limbo.add(attempt.name, worker, asked=False)
            unknown = ledger.limbo.get(attempt.token)
            assert unknown is not None
            ledger.limbo.keep(unknown, end)
            return
        assert attempt.end is not None
        ledger.group(attempt.name.owner).withdraw(attempt.end)
        attempt.given_up, attempt.reported = False, True
        ledger.end(attempt, end)

    def _unknown_result(self, worker: str, name: AttemptName, end: Finished) -> None:
        ledger, token = self._ledger, name.token
        if token in ledger.stored or token in ledger.fenced:
            member = ledger.roster.members.get(worker)
            if member is not None:
                ledger.release(member, token)
            ledger.confirm(token, worker)
            return
        fresh = ledger.limbo.add(name, worker, asked=True)
        unknown = ledger.limbo.get(token)
        assert unknown is not None
        if unknown.worker == worker and unknown.name == name:
            ledger.limbo.keep(unknown, end)
        if fresh:
            self._ask(worker, [name])

    def returned(self, worker: str, tokens: Iterable[AttemptToken], now: Moment) -> None:
        """Tasks that did not start come back."""
        ledger = self._ledger
        for token in tokens:
            attempt = ledger.attempts.get(token)
            if attempt is None or attempt.worker != worker:
                self._let_go(worker, token)
            elif attempt.state is AttemptState.KILLED:
                ledger.forget(attempt)
            elif attempt.state is AttemptState.STARTED:
                give_up(ledger, attempt, now, "gave it back although it had begun")
            elif attempt.state in LIVE:
                ledger.end_as(attempt, Returned(), now, lost=False)
        self._dispatch.fill(now)

    def _let_go(self, worker: str, token: AttemptToken) -> None:
        unknown = self._ledger.limbo.get(token)
        member = self._ledger.roster.members.get(worker)
        if unknown is not None and unknown.worker == worker:
            back = Returned()
            end = Finished(token=token, outcome=back, worker="", started_at=0.0, duration_s=0.0)
            self._ledger.limbo.keep(unknown, end)
        elif member is not None:
            self._ledger.release(member, token)

    def _unknown(self, token: AttemptToken, worker: str) -> None:
        """It speaks of something that it should not have."""
        if token not in self._ledger.stored:
            self._ledger.fence_at(token, worker)

    # --- what the store says ---------------------------------------------------------------------

    def _ask(self, worker: str, names: Sequence[AttemptName]) -> None:
        if names:
            self._ledger.commands.append(AskRecords(worker, tuple(names)))

    def ask_again(self) -> None:
        """Ask about those whose end here is stored by now."""
        for unknown in self._ledger.limbo.deferred():
            if unknown.name.token not in self._ledger.attempts:
                unknown.asked = True
                self._ask(unknown.worker, [unknown.name])

    def resolve(
        self,
        worker: str,
        names: Sequence[AttemptName],
        stored: Collection[AttemptToken],
        adopted: Collection[AttemptToken],
        now: Moment,
    ) -> None:
        """What the store said about unknown attempts."""
        for name in names:
            unknown = self._ledger.limbo.pop(name.token)
            if name.token in stored:
                self._forget_unknown(worker, name.token, stored=True)
                if unknown is None or unknown.end is None:
                    self._ledger.fence_at(name.token, worker)  # it runs for nothing
            elif name.token in adopted:
                self._adopt(name, worker, unknown, now)
            elif unknown is not None and unknown.end is not None:
                self._forget_unknown(worker, name.token, stored=False)
            else:
                self._ledger.fence(name.token, worker)
        self._dispatch.fill(now)

    def _forget_unknown(self, worker: str, token: AttemptToken, *, stored: bool) -> None:
        (self._ledger.stored if stored else self._ledger.fenced).add(token)
        member = self._ledger.roster.members.get(worker)
        if member is not None:
            self._ledger.release(member, token)
        self._ledger.confirm(token, worker)

    def _adopt(self, name: AttemptName, worker: str, unknown: Unknown | None, now: Moment) -> None:
        """It is this master's now, whatever became of the worker meanwhile."""
        ledger = self._ledger
        member = ledger.roster.live(worker)
        if name.token in ledger.attempts:
            return
        attempt = Attempt(name=name, assignment=None, state=AttemptState.ACCEPTED)
        ledger.add(attempt)
        if member is None:
            attempt.worker = worker
            give_up(ledger, attempt, now, "was lost while it was adopted")
            return
        adopt(ledger, attempt, member, now)
        ledger.commands.append(SendVerdict(worker, name.token, keep=True))
        for event in () if unknown is None else unknown.events:
            self.event(worker, event)
        if unknown is not None and unknown.end is not None:
            if isinstance(unknown.end.outcome, Returned):
                self.returned(worker, [name.token], now)
            else:
                self.result(worker, name, unknown.end, now)


def _requirements(attempt: Attempt | None) -> Requirements:
    return Requirements.parse({} if attempt is None else attempt.requirements)
