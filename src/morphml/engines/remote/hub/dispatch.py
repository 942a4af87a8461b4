"""Who gets what, and what has to be confirmed: attempts on their way from a queue to a worker."""

from __future__ import annotations

import math
from collections import deque

from morphml.engines.port import Returned
from morphml.engines.remote.hub.attempt import Attempt, AttemptState, Moment
from morphml.engines.remote.hub.commands import SendTask
from morphml.engines.remote.hub.group import Group
from morphml.engines.remote.hub.ledger import Ledger
from morphml.ids import ExperimentId
from morphml.scheduling.worker import WorkerState


class Dispatch:
    """Sends what waits.

    Args:
        ledger: all attempts and workers.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._hungry: dict[ExperimentId, Group] = {}
        #: (when it was sent, attempt), oldest first.
        self._unconfirmed: deque[tuple[float, Attempt]] = deque()
        #: Since when something waits and no worker takes anything, in monotonic seconds.
        self._alone_since: float | None = None

    def queue(self, attempt: Attempt) -> None:
        """The attempt waits for a worker from now on."""
        group = self._ledger.group(attempt.name.owner)
        group.wait(attempt)
        self._hungry[group.experiment] = group

    def fill(self, now: Moment) -> None:
        """Send what waits to workers, as far as they have room; who uses least goes first."""
        stuck = {e for e, group in self._hungry.items() if group.readiness is not None}
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
        share = self._ledger.settings.ahead_of(group.mean_s)
        avoid = attempt.avoid
        if avoid:  # a retry of it is better not lost to a worker that is only being tried
            avoid = (*avoid, *self._ledger.faults.on_trial())
        worker = self._ledger.places.choose(attempt.requirements, avoid, ahead=share > 0)
        if worker is None or not self._has_room(worker, share):
            return None
        if not avoid:
            return worker
        if not self._ledger.places.avoids(worker, avoid):
            return worker
        if attempt.elsewhere_until is None:
            attempt.elsewhere_until = now.monotonic + self._ledger.settings.elsewhere_s
        waited = now.monotonic >= attempt.elsewhere_until
        if waited and not self._ledger.faults.doubts(worker):
            return worker
        elsewhere = self._ledger.places.could_run(attempt.requirements, avoid)
        return None if elsewhere else worker

    def _has_room(self, worker: str, share: float) -> bool:
        """Whether the worker may hold one more, and so much beyond its slots."""
        slots = self._ledger.roster.members[worker].registration.slots
        return len(self._ledger.places.held(worker)) < slots + math.ceil(share * slots)

    def _send(self, attempt: Attempt, worker: str, group: Group, now: Moment) -> None:
        member = self._ledger.roster.members[worker]
        attempt.state, attempt.sent_at = AttemptState.SENT, now.monotonic
        self._ledger.put(attempt, member)
        self._ledger.places.take(worker, attempt.token, attempt.requirements)
        self._ledger.roster.assigned(member, attempt.token)
        self._ledger.faults.sent(worker, attempt.token, now)
        self._unconfirmed.append((now.monotonic, attempt))
        self._ledger.commands.append(SendTask(worker, attempt))

    def overdue(self, now: Moment) -> None:
        """What no worker has confirmed in time goes back."""
        patience = self._ledger.settings.accept_within_s
        while self._unconfirmed and now.monotonic - self._unconfirmed[0][0] >= patience:
            sent_at, attempt = self._unconfirmed.popleft()
            if attempt.state is AttemptState.SENT and attempt.sent_at == sent_at:
                member = self._ledger.roster.members.get(attempt.worker)
                if member is None or member.worker.state is not WorkerState.SUSPECT:
                    self._ledger.give_back(attempt, now)
                else:  # its worker is back soon, or lost soon
                    attempt.sent_at = now.monotonic
                    self._unconfirmed.append((now.monotonic, attempt))

    def strand(self, now: Moment) -> None:
        """What waits goes back when no worker is left that could take anything.

        Workers that left this master may be at another one, which can then claim it.
        """
        if not self._hungry or self._ledger.places.slots():
            self._alone_since = None
            return
        if self._alone_since is None:
            self._alone_since = now.monotonic
        if now.monotonic - self._alone_since >= self._ledger.settings.announce_within_s:
            for group in self._hungry.values():
                for attempt in group.waiting():
                    self._ledger.end_as(attempt, Returned(), now, lost=False)

    def clear(self) -> None:
        """Forget all."""
        self._alone_since = None
        self._hungry.clear()
        self._unconfirmed.clear()
