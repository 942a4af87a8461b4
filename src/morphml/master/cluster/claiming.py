"""Slots that this master's own experiments leave are given to those of other masters."""

from __future__ import annotations

from collections.abc import Callable, Collection

import orjson

from morphml.engines.remote.hub import Hub
from morphml.ids import ExperimentId
from morphml.master.artifacts import RunArtifacts
from morphml.master.assigning import Assigner
from morphml.master.cluster.contexts import Contexts
from morphml.master.flights import Flight
from morphml.master.session import MasterLife
from morphml.search.changes import ClaimedTask
from morphml.storage import SqlStore

#: Tasks of one claim at most.
LIMIT = 256


class Claiming:
    """Claims ready tasks of experiments that others drive.

    Args:
        store: has the tasks.
        life: of this master; its session holds what is claimed.
        hub: places the attempts.
        contexts: of the experiments.
        left: slots that nothing driven here wants.
    """

    def __init__(
        self,
        store: SqlStore,
        life: MasterLife,
        hub: Hub,
        contexts: Contexts,
        left: Callable[[], int],
    ) -> None:
        self._store = store
        self._life = life
        self._hub = hub
        self._contexts = contexts
        self._left = left

    def claim(self, driven_here: Collection[ExperimentId]) -> int:
        """Claim as much as fits and hand it to workers; how many tasks it was."""
        room = min(self._hub.free(), self._left(), LIMIT)
        if room <= 0:
            return 0
        claimed = self._store.cluster.claim_any(
            self._life.session, room, self._offers(), but=driven_here
        )
        for task in claimed:
            self._place(task)
        return len(claimed)

    def _offers(self) -> dict[str, float]:
        """The most of each thing that some worker has; the hub fits them together."""
        offers: dict[str, float] = {}
        for worker in self._hub.workers():
            for name, amount in worker.capabilities.items():
                offers[name] = max(offers.get(name, 0.0), amount)
        return offers

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
        assigner = Assigner(known.spec, task.experiment, RunArtifacts(known.folder))
        self._hub.place(assigner.assignment(flight, tuple(orjson.loads(task.vector))))
