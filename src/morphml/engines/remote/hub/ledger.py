"""Who has which attempt, what is to be told, and what is to be sent: the state of a hub.

No thread, clock or stream in here. What is to be done about a change is collected in ``commands``
and ``told``.
"""

from __future__ import annotations

from collections import deque
from typing import assert_never

from morphml.engines.port import (
    EngineEvent,
    Failed,
    Finished,
    Outcome,
    Returned,
    WorkerGone,
)
from morphml.engines.remote.hub.attempt import Attempt, AttemptState, Moment
from morphml.engines.remote.hub.commands import (
    CloseStream,
    Command,
    SendAcknowledged,
    SendDrain,
    SendTask,
    SendVerdict,
)
from morphml.engines.remote.hub.group import Group
from morphml.engines.remote.hub.limbo import Limbo
from morphml.engines.remote.hub.memory import RecentTokens
from morphml.engines.remote.hub.roster import Member, Roster
from morphml.engines.remote.hub.settings import HubSettings
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.failures import FailureKind
from morphml.scheduling.placement import Places
from morphml.scheduling.worker import Dismiss, GiveUpAttempts, Suspend, WorkerCommand, WorkerState

#: Tokens that ended, or that nobody wants, are remembered up to so many.
_REMEMBERED = 50_000


class Ledger:
    """All attempts, experiments and workers of one hub.

    Args:
        settings: times and sizes.
    """

    def __init__(self, settings: HubSettings) -> None:
        self.settings = settings
        self.places = Places(settings.ahead)
        self.roster = Roster(settings.worker_rule, self.places, settings.remember_s)
        self.attempts: dict[AttemptToken, Attempt] = {}
        self.groups: dict[ExperimentId, Group] = {}
        self.limbo = Limbo()
        #: Ended and stored: a second result is answered without a question to the store.
        self.stored = RecentTokens(_REMEMBERED)
        #: Given back or killed: whoever still shows them is told to kill them.
        self.fenced = RecentTokens(_REMEMBERED)
        self.commands: list[Command] = []
        #: Experiments for which something new is to be told.
        self.told: set[ExperimentId] = set()
        #: Experiments of which so much waits to be told that their workers are read no further.
        self.swollen: set[ExperimentId] = set()
        #: Rises when everything is forgotten.
        self.era = 0
        self._hungry: dict[ExperimentId, Group] = {}
        #: (when it was sent, attempt), oldest first.
        self._unconfirmed: deque[tuple[float, Attempt]] = deque()

    # --- experiments -----------------------------------------------------------------------------

    def group(self, experiment: ExperimentId) -> Group:
        """The experiment's attempts; a new group when there is none."""
        found = self.groups.get(experiment)
        if found is None:
            found = Group(experiment, self.settings.max_waiting_logs)
            self.groups[experiment] = found
        return found

    def tell(self, group: Group, event: EngineEvent) -> None:
        """Put an event among those that whoever drives the experiment takes next."""
        group.tell(event)
        self.told.add(group.experiment)
        if len(group.events) >= self.settings.max_waiting_events:
            self.swollen.add(group.experiment)

    def tidy(self, group: Group) -> None:
        """Forget the experiment when nothing is left of it."""
        if group.is_over:
            self.groups.pop(group.experiment, None)
            self._hungry.pop(group.experiment, None)

    # --- attempts --------------------------------------------------------------------------------

    def add(self, attempt: Attempt) -> Group:
        """A new attempt."""
        self.attempts[attempt.token] = attempt
        group = self.group(attempt.name.owner)
        group.tokens.add(attempt.token)
        self.fenced.discard(attempt.token)
        return group

    def queue(self, attempt: Attempt) -> None:
        """The attempt waits for a worker from now on."""
        group = self.group(attempt.name.owner)
        group.wait(attempt)
        self._hungry[group.experiment] = group

    def put(self, attempt: Attempt, member: Member) -> None:
        """A worker has the attempt, and it is no news to the worker."""
        attempt.worker = member.worker.id
        member.expected[attempt.token] = 0
        self.group(attempt.name.owner).used += 1

    def end(self, attempt: Attempt, end: Finished) -> None:
        """The attempt is over; its end is told and kept until it is acknowledged."""
        group = self.group(attempt.name.owner)
        self._let_go(attempt, group)
        attempt.state, attempt.end, attempt.taken = AttemptState.ENDED, end, False
        self.tell(group, end)

    def end_as(self, attempt: Attempt, outcome: Outcome, now: Moment, *, lost: bool) -> None:
        """End an attempt here, without a word of its worker."""
        began = attempt.began_at
        member = self.roster.members.get(attempt.worker)
        worker = "" if member is None else member.registration.name
        attempt.given_up = lost
        end = Finished(
            token=attempt.token,
            outcome=outcome,
            worker=attempt.slot or worker,
            started_at=now.epoch if began is None else began,
            duration_s=0.0 if began is None else max(0.0, now.epoch - began),
        )
        self.end(attempt, end)

    def give_up(self, attempt: Attempt, now: Moment, why: str) -> None:
        """Its worker is lost, or does not know it any more."""
        if attempt.state is AttemptState.KILLED:
            self.forget(attempt)
        elif attempt.state is AttemptState.SENT:
            self.end_as(attempt, Returned(), now, lost=True)
        else:
            failed = Failed(
                kind=FailureKind.LOST_WORKER, error_type="WorkerLost", message=f"its worker {why}"
            )
            self.end_as(attempt, failed, now, lost=True)

    def give_back(self, attempt: Attempt, now: Moment) -> None:
        """It never began: it goes back without blame, and its token counts no more."""
        worker = attempt.worker
        self.end_as(attempt, Returned(), now, lost=False)
        self.fence(attempt.token, worker)

    def forget(self, attempt: Attempt) -> None:
        """Nothing of the attempt is kept."""
        group = self.group(attempt.name.owner)
        self._let_go(attempt, group)
        attempt.state = AttemptState.ENDED
        self.attempts.pop(attempt.token, None)
        group.tokens.discard(attempt.token)
        self.tidy(group)

    def fence(self, token: AttemptToken, worker: str) -> None:
        """The token is not to be heard of again; its worker, if any, is told to kill it."""
        self.fenced.add(token)
        if worker:
            self.commands.append(SendVerdict(worker, token, keep=False))

    def fence_at(self, token: AttemptToken, worker: str) -> None:
        """This worker is to kill the token, which may be another worker's."""
        self.commands.append(SendVerdict(worker, token, keep=False))

    def confirm(self, token: AttemptToken, worker: str) -> None:
        """The worker may forget the result."""
        if worker:
            self.commands.append(SendAcknowledged(worker, token))

    def _let_go(self, attempt: Attempt, group: Group) -> None:
        """Its worker's slot is free."""
        if attempt.state in (AttemptState.WAITING, AttemptState.ENDED):
            return
        group.used -= 1
        member = self.roster.members.get(attempt.worker)
        if member is not None:
            self.release(member, attempt.token)

    # --- workers ---------------------------------------------------------------------------------

    def release(self, member: Member, token: AttemptToken) -> None:
        """The worker has let the attempt go."""
        self.places.give_back(member.worker.id, token)
        self.obey(member, self.roster.released(member, token), None)

    def obey(
        self,
        member: Member,
        commands: tuple[WorkerCommand, ...],
        now: Moment | None,
        why: str = "is lost",
    ) -> None:
        """Do what the worker's machine says; without a time there is nothing to give up."""
        for command in commands:
            match command:
                case GiveUpAttempts():
                    assert now is not None
                    for token in command.tokens:
                        self.drop(member, token, now, why)
                case Suspend():
                    pass  # its place is closed already
                case Dismiss():
                    drain = SendDrain(member.worker.id, "it may leave", 0.0)
                    self.commands.append(drain)
                case _:
                    assert_never(command)

    def drop(self, member: Member, token: AttemptToken, now: Moment, why: str) -> None:
        """The worker does not have the attempt any more, and there will be no word of it."""
        attempt = self.attempts.get(token)
        if attempt is None or attempt.worker != member.worker.id:
            self.release(member, token)
        elif attempt.state is not AttemptState.ENDED:
            self.give_up(attempt, now, why)

    def lose(self, member: Member, now: Moment, why: str) -> None:
        """Nothing more is to be expected of the worker."""
        gone = WorkerGone(worker=member.registration.name, reason=why, at=now.epoch)
        touched = set()
        for token in list(member.expected):
            attempt = self.attempts.get(token)
            if attempt is not None and attempt.worker == member.worker.id:
                touched.add(attempt.name.owner)
            self.drop(member, token, now, why)
        for experiment in touched & self.groups.keys():
            self.tell(self.groups[experiment], gone)
        self.limbo.drop(member.worker.id)
        self.commands.append(CloseStream(member.worker.id, f"the worker {why}"))

    # --- who gets what ---------------------------------------------------------------------------

    def fill(self, now: Moment) -> None:
        """Send what waits to workers, as far as they have room; who uses least goes first."""
        stuck: set[ExperimentId] = set()
        while len(self._hungry) > len(stuck):
            open_to = [g for e, g in self._hungry.items() if e not in stuck]
            group = open_to[0] if len(open_to) == 1 else min(open_to, key=lambda g: g.load)
            if not self._send_one(group, now):
                if group.hungry:
                    stuck.add(group.experiment)
                else:
                    del self._hungry[group.experiment]

    def _send_one(self, group: Group, now: Moment) -> bool:
        for kind, attempt in group.heads():
            worker = self._choose(attempt, group, now)
            if worker is not None:
                group.leave(kind)
                self._send(attempt, worker, group, now)
                return True
        return False

    def _choose(self, attempt: Attempt, group: Group, now: Moment) -> str | None:
        short = group.mean_s is not None and group.mean_s < self.settings.ahead_below_s
        worker = self.places.choose(attempt.requirements, attempt.avoid, ahead=short)
        if worker is None or not attempt.avoid:
            return worker
        if not self.places.avoids(worker, attempt.avoid):
            return worker
        if attempt.elsewhere_until is None:
            attempt.elsewhere_until = now.monotonic + self.settings.elsewhere_s
        if now.monotonic >= attempt.elsewhere_until:
            return worker
        elsewhere = self.places.could_run(attempt.requirements, attempt.avoid)
        return None if elsewhere else worker

    def _send(self, attempt: Attempt, worker: str, group: Group, now: Moment) -> None:
        member = self.roster.members[worker]
        attempt.state, attempt.sent_at = AttemptState.SENT, now.monotonic
        self.put(attempt, member)
        self.places.take(worker, attempt.token, attempt.requirements)
        self.roster.assigned(member, attempt.token)
        self._unconfirmed.append((now.monotonic, attempt))
        self.commands.append(SendTask(worker, attempt))

    # --- time ------------------------------------------------------------------------------------

    def overdue(self, now: Moment) -> None:
        """What no worker has confirmed in time goes back."""
        patience = self.settings.accept_within_s
        while self._unconfirmed and now.monotonic - self._unconfirmed[0][0] >= patience:
            sent_at, attempt = self._unconfirmed.popleft()
            if attempt.state is AttemptState.SENT and attempt.sent_at == sent_at:
                member = self.roster.members.get(attempt.worker)
                if member is None or member.worker.state is not WorkerState.SUSPECT:
                    self.give_back(attempt, now)
                else:  # its worker is back soon, or lost soon
                    attempt.sent_at = now.monotonic
                    self._unconfirmed.append((now.monotonic, attempt))

    def clear(self) -> None:
        """Forget every attempt and every worker; listeners stay."""
        for attempt in self.attempts.values():
            attempt.state = AttemptState.ENDED
        self.era += 1
        self.attempts.clear()
        self.swollen.clear()
        self._hungry.clear()
        self._unconfirmed.clear()
        for worker in self.roster.members:
            self.commands.append(CloseStream(worker, "this master has a new session"))
        self.roster.clear()
        self.limbo.clear()
        self.fenced.clear()
        self.stored.clear()
        self.groups = {e: g for e, g in self.groups.items() if g.attached}
        for group in self.groups.values():
            group.clear()
