"""Slots that this master's own experiments leave are given to those of other masters."""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import partial

import orjson

from morphml.clock import Clock
from morphml.engines.remote.hub import Hub
from morphml.errors import CallerError, WorkerError
from morphml.ids import ExperimentId
from morphml.master.artifacts import find_checkpoint
from morphml.master.assigning import Assigner, Standing
from morphml.master.cluster.contexts import Contexts
from morphml.master.cluster.shares import Shares
from morphml.master.flights import Flight
from morphml.master.session import MasterLife
from morphml.scheduling.resources import Requirements
from morphml.search.changes import ClaimedTask
from morphml.storage import SqlStore

log = logging.getLogger(__name__)

#: Tasks of one claim at most.
LIMIT = 256
#: Seconds for which tasks of an experiment are left alone that this master cannot send to workers.
UNABLE_S = 60.0


class Claiming:
    """Claims ready tasks of experiments that others drive.

    Args:
        store: has the tasks.
        life: of this master; its session holds what is claimed.
        hub: places the attempts.
        contexts: of the experiments.
        clock: monotonic time.
        shares: who has a right to how many slots here.
    """

    def __init__(
        self,
        store: SqlStore,
        life: MasterLife,
        hub: Hub,
        contexts: Contexts,
        clock: Clock,
        shares: Shares,
    ) -> None:
        self._store = store
        self._life = life
        self._hub = hub
        self._contexts = contexts
        self._clock = clock
        self._shares = shares
        #: Until when an experiment is left to masters that can send it, in monotonic seconds.
        self._unable: dict[ExperimentId, float] = {}

    def claim(self, driven_here: Collection[ExperimentId]) -> int:
        """Claim as much as fits and hand it to workers; how many tasks it was."""
        left = self._shares.left()
        rights = {
            experiment: max(0, slots - len(self._hub.running(experiment)))
            for experiment, slots in self._shares.lent().items()
        }
        room = min(self._hub.free(), left + sum(rights.values()), LIMIT)
        if room <= 0:
            return 0
        now = self._clock.monotonic()
        self._unable = {name: until for name, until in self._unable.items() if until > now}
        at_most = {experiment: right + left for experiment, right in rights.items()}
        at_most |= dict.fromkeys([*driven_here, *self._unable], 0)
        claimed = self._store.cluster.claim_any(self._life.session, room, self._could, at_most)
        for task in claimed:
            self._take(task)
        return len(claimed)

    def is_unable(self, experiment: ExperimentId) -> bool:
        """Whether its tasks came and could not be handed to workers, a short while ago."""
        return experiment in self._unable

    def _could(self, needs: Requirements) -> bool:
        """Whether a worker here could run tasks with these needs."""
        return self._hub.fitting.could_run(needs.mapping())

    def _take(self, task: ClaimedTask) -> None:
        """Hand the task to a worker, or leave its experiment alone for a while."""
        try:
            self._place(task)
        except (CallerError, WorkerError) as error:
            if task.experiment not in self._unable:
                log.warning(
                    "experiment %s: its tasks are left to other masters: %s",
                    task.experiment,
                    error,
                )
            self._unable[task.experiment] = self._clock.monotonic() + UNABLE_S
            self._store.leases.give_back(task.experiment, [(task.number, task.token)])

    def _place(self, task: ClaimedTask) -> None:
        known = self._contexts.of(task.experiment)
        flight = Flight(
            task.token,
            task.id,
            task.number,
            task.segment,
            task.to_epoch,
            checkpoint=task.checkpoint,
        )
        standing = Standing(rank=task.rank)
        assigner = Assigner(
            known.spec,
            task.experiment,
            partial(find_checkpoint, known.folder, self._contexts.exchange),
        )
        self._hub.place(assigner.assignment(flight, tuple(orjson.loads(task.vector)), standing))
