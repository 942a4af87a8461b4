"""Workers load an experiment before its first task, which then begins at once."""

from __future__ import annotations

import logging

from morphml.engines.remote.hub.attempt import Moment
from morphml.engines.remote.hub.commands import SendContext
from morphml.engines.remote.hub.dispatch import Dispatch
from morphml.engines.remote.hub.ledger import Ledger
from morphml.engines.remote.hub.readiness import Readiness
from morphml.engines.remote.hub.roster import Member
from morphml.ids import ExperimentId

_LOG = logging.getLogger(__name__)


class Preparing:
    """Which experiments workers are told of, and whose tasks are held meanwhile.

    Args:
        ledger: all attempts, experiments and workers.
        dispatch: sends what waits.
    """

    def __init__(self, ledger: Ledger, dispatch: Dispatch) -> None:
        self._ledger = ledger
        self._dispatch = dispatch

    def begin(self, experiment: ExperimentId, now: Moment) -> None:
        """Tell all workers of the experiment; its first tasks wait for those that get ready."""
        group = self._ledger.group(experiment)
        group.prepared = True
        awaited: list[str] = []
        for worker, member in self._ledger.roster.members.items():
            if member.open and member.registration.prepares and experiment not in member.ready:
                self._ledger.commands.append(SendContext(worker, experiment))
                awaited.append(worker)
        if awaited:
            _LOG.info("experiment %s: %d workers get ready for it", experiment, len(awaited))
            most_s = self._ledger.settings.prepare_within_s
            group.readiness = Readiness(awaited, most_s, now.monotonic)

    def ready(self, worker: str, experiment: ExperimentId, now: Moment) -> None:
        """The worker is ready for the experiment; after the last one its tasks are sent."""
        member = self._ledger.roster.live(worker)
        group = self._ledger.groups.get(experiment)
        if member is None or group is None:
            return
        member.ready.add(experiment)
        if group.readiness is not None:
            group.readiness.ready(worker, now.monotonic)
            self.look(now)

    def look(self, now: Moment) -> None:
        """Send the tasks that need wait no longer. Cost: O(experiments + workers awaited)."""
        members = self._ledger.roster.members
        ended = False
        for group in self._ledger.groups.values():
            if (readiness := group.readiness) is None:
                continue
            readiness.keep(lambda worker: worker in members and members[worker].open)
            if readiness.over(now.monotonic):
                _LOG.info("experiment %s: %s", group.experiment, readiness.story(now.monotonic))
                group.readiness, ended = None, True
        if ended:
            self._dispatch.fill(now)


def tell_of_all(ledger: Ledger, member: Member) -> None:
    """A worker has joined: it gets ready for what is driven here."""
    if not (member.open and member.registration.prepares):
        return
    for experiment, group in ledger.groups.items():
        if group.prepared:
            ledger.commands.append(SendContext(member.worker.id, experiment))
