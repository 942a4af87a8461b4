"""Who has which attempt, what is to be told, and what is to be sent: the state of a hub.

No thread, clock or stream in here. What is to be done about a change is collected in ``commands``
and ``told``.
"""

from __future__ import annotations

from dataclasses import replace

from morphml.engines.port import (
    EngineEvent,
    Finished,
    Outcome,
    Returned,
    Started,
)
from morphml.engines.remote.hub.attempt import Attempt, AttemptState, Moment
from morphml.engines.remote.hub.commands import (
    CloseStream,
    Command,
    SendAcknowledged,
    SendDrain,
    SendVerdict,
)
from morphml.engines.remote.hub.faults import WorkerFaults
from morphml.engines.remote.hub.gangs import Gangs
from morphml.engines.remote.hub.group import Group
from morphml.engines.remote.hub.health import WorkerHealth
from morphml.engines.remote.hub.limbo import Limbo
from morphml.engines.remote.hub.memory import RecentTokens
from morphml.engines.remote.hub.offers import Offers
from morphml.engines.remote.hub.roster import Member, Roster
from morphml.engines.remote.hub.settings import HubSettings
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.scheduler import create_scheduler
from morphml.scheduling.worker import Dismiss, WorkerCommand

#: Tokens that ended, or that nobody wants, are remembered up to so many.
_REMEMBERED = 50_000


class Ledger:
    """All attempts, experiments and workers of one hub.

    Args:
        settings: times and sizes.
    """

    def __init__(self, settings: HubSettings) -> None:
        self.settings = settings
        #: Decides who gets what.
        self.scheduler = create_scheduler(settings.policy, settings.placing_rule)
        self.offers = Offers(self.scheduler.fleet)
        self.roster = Roster(settings.worker_rule, self.scheduler.fleet, settings.remember_s)
        #: Keeps broken workers from work.
        self.faults = WorkerFaults(settings.faults, self.roster, self.offers.could_run)
        self.scheduler.heed(self.faults)
        #: Drains sick workers.
        self.health = WorkerHealth(settings.health, self.roster)
        self.attempts: dict[AttemptToken, Attempt] = {}
        self.groups: dict[ExperimentId, Group] = {}
        #: Those that run at several workers.
        self.gangs = Gangs(self)
        self.limbo = Limbo()
        #: Ended and stored: a second result is answered without a question to the store.
        self.stored = RecentTokens(_REMEMBERED)
        #: Given back or killed: whoever still shows them is told to kill them.
        self.fenced = RecentTokens(_REMEMBERED)
        self.commands: list[Command] = []
        #: Experiments for which something new is to be told.
        self.told: set[ExperimentId] = set()
        #: Experiments of which nothing is left.
        self.over: set[ExperimentId] = set()
        #: Experiments of which so much waits to be told that their workers are read no further.
        self.swollen: set[ExperimentId] = set()
        #: Rises when everything is forgotten.
        self.era = 0

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
        if not (group.attached and isinstance(event, Started)):
            # A driver looks by itself soon enough to learn that something has begun.
            self.told.add(group.experiment)
        if len(group.events) >= self.settings.max_waiting_events:
            self.swollen.add(group.experiment)

    def tidy(self, group: Group) -> None:
        """Forget the experiment when nothing is left of it."""
        if group.is_over:
            self.groups.pop(group.experiment, None)
            self.scheduler.stakes.forget(group.experiment)
            self.over.add(group.experiment)
            for member in self.roster.members.values():
                member.ready.discard(group.experiment)

    # --- attempts --------------------------------------------------------------------------------

    def add(self, attempt: Attempt) -> Group:
        """A new attempt."""
        self.attempts[attempt.token] = attempt
        group = self.group(attempt.name.owner)
        group.tokens.add(attempt.token)
        self.fenced.discard(attempt.token)
        return group

    def put(self, attempt: Attempt, member: Member) -> None:
        """A worker has the attempt, and it is no news to the worker."""
        attempt.worker = member.worker.id
        member.expected[attempt.token] = 0

    def end(self, attempt: Attempt, end: Finished) -> None:
        """The attempt is over; its end is told and kept until it is acknowledged.

        What never had a slot is told under the name of its worker: a retry is to avoid that one.
        """
        if not end.worker:
            end = replace(end, worker=self._name_of(attempt))
        if attempt.gang is not None and attempt is not attempt.gang.head:
            self._let_go(attempt)
            self.gangs.ended(attempt, end)
            return
        group = self.group(attempt.name.owner)
        self._let_go(attempt)
        attempt.state, attempt.end, attempt.taken = AttemptState.ENDED, end, False
        self.tell(group, end)

    def end_as(self, attempt: Attempt, outcome: Outcome, now: Moment, *, lost: bool) -> None:
        """End an attempt here, without a word of its worker."""
        began = attempt.began_at
        attempt.given_up = lost
        end = Finished(
            token=attempt.token,
            outcome=outcome,
            worker=attempt.slot,
            started_at=now.epoch if began is None else began,
            duration_s=0.0 if began is None else max(0.0, now.epoch - began),
        )
        self.end(attempt, end)

    def _name_of(self, attempt: Attempt) -> str:
        """Of the worker that has the attempt; "" where none has."""
        member = self.roster.members.get(attempt.worker)
        return "" if member is None else member.registration.name

    def give_back(self, attempt: Attempt, now: Moment) -> None:
        """It never began: it goes back without blame, and its token counts no more."""
        worker = attempt.worker
        self.end_as(attempt, Returned(), now, lost=False)
        self.fence(attempt.token, worker)

    def forget(self, attempt: Attempt) -> None:
        """Nothing of the attempt is kept."""
        group = self.group(attempt.name.owner)
        self._let_go(attempt)
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

    def _let_go(self, attempt: Attempt) -> None:
        """It waits no more, and its worker's slot is free."""
        if attempt.state is AttemptState.WAITING:
            self.scheduler.withdraw(attempt.token)
        if attempt.state in (AttemptState.WAITING, AttemptState.ENDED):
            return
        self.scheduler.give_back(attempt.token)
        member = self.roster.members.get(attempt.worker)
        if member is not None:
            self.release(member, attempt.token)

    # --- workers ---------------------------------------------------------------------------------

    def release(self, member: Member, token: AttemptToken) -> None:
        """The worker has let the attempt go."""
        self.scheduler.fleet.give_back(member.worker.id, token)
        self.faults.withdrew(member.worker.id, token)
        self.dismiss(member, self.roster.released(member, token))

    def dismiss(self, member: Member, commands: tuple[WorkerCommand, ...]) -> None:
        """Tell the worker that it may leave, where its machine says so."""
        if any(isinstance(command, Dismiss) for command in commands):
            self.commands.append(SendDrain(member.worker.id, "it may leave", 0.0))

    def clear(self) -> None:
        """Forget every attempt and every worker; listeners stay."""
        for attempt in self.attempts.values():
            self.scheduler.withdraw(attempt.token)
            self.scheduler.give_back(attempt.token)
            attempt.state = AttemptState.ENDED
        self.era += 1
        self.attempts.clear()
        self.gangs.clear()
        self.swollen.clear()
        for worker in self.roster.members:
            self.commands.append(CloseStream(worker, "this master has a new session"))
        self.roster.clear()
        self.faults.clear()
        self.health.clear()
        self.limbo.clear()
        self.fenced.clear()
        self.stored.clear()
        self.groups = {e: g for e, g in self.groups.items() if g.attached}
        for group in self.groups.values():
            group.clear()
