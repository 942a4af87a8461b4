"""What those who drive experiments want of a hub."""

from __future__ import annotations

import math
from collections.abc import Iterable

from morphml.engines.failure import failure
from morphml.engines.port import (
    Assignment,
    EngineEvent,
    Finished,
    Order,
    Outcome,
    Returned,
    WorkerGone,
)
from morphml.engines.remote import job_calls
from morphml.engines.remote.hub.attempt import AT_WORKER, LIVE, Attempt, AttemptState, Moment
from morphml.engines.remote.hub.commands import SendOrder
from morphml.engines.remote.hub.dispatch import Dispatch
from morphml.engines.remote.hub.ledger import Ledger
from morphml.engines.remote.messages import AttemptName, CheckpointFile
from morphml.engines.waiting import end_unbegun, outcome_before_start
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.failures import FailureKind


class DriverSide:
    """Attempts from the side of whoever submitted them.

    Args:
        ledger: shared with the workers' side.
        dispatch: sends what waits.
    """

    def __init__(self, ledger: Ledger, dispatch: Dispatch) -> None:
        self._ledger = ledger
        self._dispatch = dispatch
        self._listeners = 0

    # --- who listens -----------------------------------------------------------------------------

    def attach(self, experiment: ExperimentId) -> int:
        """The number of a driver that listens from now on, instead of any other.

        Every end that was not acknowledged is told again.
        """
        group = self._ledger.group(experiment)
        self._listeners += 1
        group.listener = self._listeners
        others = [event for event in group.events if not isinstance(event, Finished)]
        group.events.clear()
        group.events.extend(others)
        self._tell_ends(experiment)
        return group.listener

    def listens(self, experiment: ExperimentId, listener: int) -> bool:
        """Whether that driver is the one that listens."""
        group = self._ledger.groups.get(experiment)
        return group is not None and group.listener == listener

    def detach(self, experiment: ExperimentId, listener: int, now: Moment) -> None:
        """The driver has gone: what waits goes back, what runs goes on, ends are told elsewhere."""
        group = self._ledger.groups.get(experiment)
        if group is None or group.listener != listener:
            return
        group.listener = 0
        group.prepared, group.readiness = False, None
        group.events = type(group.events)(e for e in group.events if not isinstance(e, Finished))
        for token in group.tokens:
            attempt = self._ledger.attempts[token]
            if attempt.state is AttemptState.WAITING:
                self._ledger.end_as(attempt, Returned(), now, lost=False)
        group.events = type(group.events)(e for e in group.events if not isinstance(e, Finished))
        self._tell_ends(experiment)
        self._ledger.tidy(group)

    def _tell_ends(self, experiment: ExperimentId) -> None:
        group = self._ledger.group(experiment)
        for token in group.tokens:
            attempt = self._ledger.attempts[token]
            if attempt.end is not None:
                attempt.taken = False
                group.events.append(attempt.end)
        if group.events:
            self._ledger.told.add(experiment)

    def collect(self, experiment: ExperimentId, ends: float = math.inf) -> list[EngineEvent]:
        """What is to be told of the experiment, in order; it is told once.

        Args:
            experiment: which one.
            ends: so many of them at most; what comes after the last is told next time.
        """
        group = self._ledger.groups.get(experiment)
        if group is None:
            return []
        events = group.take(ends)
        if not group.events:
            self._ledger.swollen.discard(experiment)
        for event in events:
            attempt = (
                self._ledger.attempts.get(event.token) if isinstance(event, Finished) else None
            )
            if attempt is not None:
                attempt.taken = True
        return events

    def collect_elsewhere(
        self, experiment: ExperimentId
    ) -> list[tuple[AttemptName, list[EngineEvent]]]:
        """What is to be told of an experiment that nobody here drives, attempt by attempt."""
        group = self._ledger.groups.get(experiment)
        if group is None or group.attached:
            return []
        told: list[tuple[AttemptName, list[EngineEvent]]] = []
        for event in self.collect(experiment):
            token = None if isinstance(event, WorkerGone) else event.token
            attempt = None if token is None else self._ledger.attempts.get(token)
            if attempt is None:
                continue
            if told and told[-1][0].token == token:
                told[-1][1].append(event)
            else:
                told.append((attempt.name, [event]))
        return told

    def push(self, experiment: ExperimentId, events: Iterable[EngineEvent]) -> None:
        """Tell what came another way."""
        group = self._ledger.groups.get(experiment)
        if group is not None:
            for event in events:
                self._ledger.tell(group, event)

    # --- attempts --------------------------------------------------------------------------------

    def submit(
        self, assignments: Iterable[Assignment], now: Moment, *, hold: bool = False
    ) -> list[Assignment]:
        """Take attempts over; returns those that were not here already.

        One with a checkpoint, or to be held, waits until ``release`` is called for it.
        """
        fresh: list[Assignment] = []
        for assignment in assignments:
            if assignment.token not in self._ledger.attempts:
                self._add(assignment, now, hold=hold or assignment.checkpoint is not None)
                fresh.append(assignment)
        self._dispatch.fill(now)
        return fresh

    def _add(self, assignment: Assignment, now: Moment, *, hold: bool) -> None:
        name = AttemptName(
            token=assignment.token,
            owner=assignment.experiment,
            number=assignment.number,
            segment=assignment.segment,
        )
        attempt = Attempt(name=name, assignment=assignment, state=AttemptState.WAITING)
        self._ledger.add(attempt)
        if refusal := job_calls.refusal(assignment):
            self.refuse(name.token, failure(FailureKind.USER_ERROR, "ConfigTooLarge", refusal), now)
        elif not hold:
            self._dispatch.queue(attempt)

    def release(self, token: AttemptToken, checkpoint: CheckpointFile, now: Moment) -> None:
        """The checkpoint to go on from has been looked at."""
        attempt = self._ledger.attempts.get(token)
        if attempt is not None and attempt.state is AttemptState.WAITING:
            attempt.checkpoint = checkpoint
            self._dispatch.queue(attempt)
            self._dispatch.fill(now)

    def refuse(self, token: AttemptToken, outcome: Outcome, now: Moment) -> None:
        """End an attempt that cannot be sent to anybody."""
        attempt = self._ledger.attempts.get(token)
        if attempt is not None and attempt.state is AttemptState.WAITING:
            self._ledger.end_as(attempt, outcome, now, lost=False)

    def order(self, token: AttemptToken, order: Order, now: Moment) -> None:
        """Pass an order on; a token that is not here or over is ignored."""
        attempt = self._ledger.attempts.get(token)
        if attempt is None:
            return
        if attempt.state is AttemptState.WAITING and attempt.assignment is not None:
            outcome = outcome_before_start(attempt.assignment, order)
            if outcome is not None:
                self._ledger.end(attempt, end_unbegun(attempt.assignment, outcome, now.epoch))
        elif attempt.state in AT_WORKER and attempt.state is not AttemptState.KILLED:
            attempt.order = order
            for each in (attempt,) if attempt.gang is None else attempt.gang.ordered(order):
                each.order = order
                self._ledger.commands.append(SendOrder(each.worker, each.token, order))

    def acknowledge(self, tokens: Iterable[AttemptToken]) -> None:
        """The ends of these attempts are stored; those that are not over are left alone."""
        for token in tokens:
            attempt = self._ledger.attempts.get(token)
            if attempt is not None and attempt.state is AttemptState.ENDED:
                if attempt.reported:
                    self._ledger.stored.add(token)
                    self._ledger.confirm(token, attempt.worker)
                self._ledger.forget(attempt)

    def kill(self, tokens: Iterable[AttemptToken], now: Moment) -> None:
        """Nobody wants these attempts any more; no end is told of them."""
        for token in tokens:
            attempt = self._ledger.attempts.get(token)
            if attempt is None:
                unknown = self._ledger.limbo.pop(token)
                self._ledger.fence(token, "" if unknown is None else unknown.worker)
            elif attempt.state is AttemptState.ENDED:
                self._ledger.fenced.add(token)
                if attempt.end is not None and not attempt.taken:
                    self._ledger.group(attempt.name.owner).withdraw(attempt.end)
                if attempt.reported:
                    self._ledger.confirm(token, attempt.worker)
                self._ledger.forget(attempt)
            elif attempt.state is AttemptState.WAITING:
                self._ledger.fenced.add(token)
                self._ledger.forget(attempt)
            elif attempt.gang is not None:
                self._ledger.gangs.disband(attempt.gang)
            else:
                attempt.state = AttemptState.KILLED
                self._ledger.fence(token, attempt.worker)
        self._dispatch.fill(now)

    # --- questions -------------------------------------------------------------------------------

    def here(self, experiment: ExperimentId) -> frozenset[AttemptToken]:
        """All attempts of the experiment that are not acknowledged: they wait, run, or ended."""
        group = self._ledger.groups.get(experiment)
        return frozenset() if group is None else frozenset(group.tokens)

    def busy(self, experiment: ExperimentId) -> int:
        """Attempts of the experiment that wait or run, also unknown ones. Cost: O(attempts)."""
        ledger = self._ledger
        group = ledger.groups.get(experiment)
        known = () if group is None else group.tokens
        states = (ledger.attempts[token].state for token in known)
        held = sum(state in LIVE or state is AttemptState.WAITING for state in states)
        return held + ledger.limbo.count(experiment)
