"""Who gets what, and what has to be confirmed: attempts on their way from a queue to a worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from morphml.engines.port import Returned
from morphml.engines.remote.hub.attempt import Attempt, AttemptState, Moment
from morphml.engines.remote.hub.commands import SendTask
from morphml.engines.remote.hub.ledger import Ledger
from morphml.engines.remote.hub.schedule import waiting_task
from morphml.ids import ExperimentId
from morphml.scheduling.worker import WorkerState


class Dispatch:
    """Sends what waits.

    Args:
        ledger: all attempts and workers.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        #: What waits until the workers have loaded its experiment.
        self._held: dict[ExperimentId, list[Attempt]] = {}
        #: (when it was sent, attempt), oldest first.
        self._unconfirmed: deque[tuple[float, Attempt]] = deque()
        #: Since when something waits and no worker takes anything, in monotonic seconds.
        self._alone_since: float | None = None

    def queue(self, attempt: Attempt) -> None:
        """The attempt waits for a worker from now on.

        Raises:
            RequirementsError: when what it needs makes no sense.
        """
        group = self._ledger.group(attempt.name.owner)
        if group.readiness is None:
            self._ledger.scheduler.submit(waiting_task(attempt))
        else:
            self._held.setdefault(group.experiment, []).append(attempt)

    def waiting(self) -> Iterator[Attempt]:
        """All that wait for a worker."""
        for task in self._ledger.scheduler.waiting():
            yield self._ledger.attempts[task.token]
        for held in self._held.values():
            yield from (each for each in held if each.state is AttemptState.WAITING)

    def fill(self, now: Moment) -> None:
        """Send what waits to workers, as far as they have room."""
        scheduler = self._ledger.scheduler
        if self._held:
            self._release()
        while len(scheduler) and (placement := scheduler.decide(now.monotonic)) is not None:
            attempt, workers = self._ledger.attempts[placement.token], placement.workers
            if len(workers) == 1:
                self._send(attempt, placement.worker, now)
                continue
            for each in self._ledger.gangs.form(attempt, workers):
                self._send(each, each.worker, now)

    def _release(self) -> None:
        """What waited for the workers to be ready waits for one of them now."""
        groups = self._ledger.groups
        for experiment in list(self._held):
            group = groups.get(experiment)
            if group is None or group.readiness is None:
                for attempt in self._held.pop(experiment):
                    if attempt.state is AttemptState.WAITING:
                        self._ledger.scheduler.submit(waiting_task(attempt))

    def _send(self, attempt: Attempt, worker: str, now: Moment) -> None:
        member = self._ledger.roster.members[worker]
        attempt.state, attempt.sent_at = AttemptState.SENT, now.monotonic
        self._ledger.put(attempt, member)
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
        stranded = bool(len(self._ledger.scheduler) or self._held)
        if not stranded or self._ledger.scheduler.fleet.slots():
            self._alone_since = None
            return
        if self._alone_since is None:
            self._alone_since = now.monotonic
        if now.monotonic - self._alone_since >= self._ledger.settings.announce_within_s:
            for attempt in list(self.waiting()):
                self._ledger.end_as(attempt, Returned(), now, lost=False)

    def clear(self) -> None:
        """Forget all."""
        self._alone_since = None
        self._held.clear()
        self._unconfirmed.clear()
