"""The rows that people and other masters read of this master's workers."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping

from morphml.clock import Clock
from morphml.engines.remote.hub import Glance, Hub, WorkerView
from morphml.ids import SessionId
from morphml.scheduling.resources import NOTHING, Capacity, Requirements
from morphml.scheduling.worker import AWAY, WorkerState
from morphml.storage import SqlStore
from morphml.storage.cluster import WorkerRow

#: Seconds after which a worker's row is written though only its loads have changed.
KEEP_S = 30.0


class Roll:
    """Writes the rows of workers that changed, and now and then those of the others.

    Args:
        store: has the rows.
        session: of this master.
        hub: has its workers.
        clock: hour and monotonic time.
    """

    def __init__(self, store: SqlStore, session: SessionId, hub: Hub, clock: Clock) -> None:
        self._store = store
        self._session = session
        self._hub = hub
        self._clock = clock
        #: How the store has each worker.
        self._known: dict[str, Glance] = {}
        #: What each worker that is there offers, and its slots: of one that may be sent nothing the
        #: attempts that it still has.
        self._seats: dict[str, tuple[Mapping[str, float], int]] = {}
        #: The same ready to be matched, as far as somebody needs something.
        self._capacities: dict[str, Capacity] = {}
        #: (monotonic seconds of the writing, worker), oldest first; one that was written again
        #: meanwhile has a later entry, too.
        self._written: deque[tuple[float, str]] = deque()
        self._written_at: dict[str, float] = {}
        self._put_at = -math.inf

    @property
    def slots(self) -> int:
        """Slots of the workers, at the last writing; none that lies idle at one that leaves."""
        return sum(slots for _, slots in self._seats.values())

    def able(self, needs: Requirements) -> int:
        """Of those slots the ones at workers that could run attempts with such needs."""
        if needs == NOTHING:
            return self.slots
        return sum(
            slots
            for worker, (offers, slots) in self._seats.items()
            if self._capacity(worker, offers).could(needs)
        )

    def write(self) -> None:
        """Write what is due. Cost: O(workers), about 1 us each; a row for what is due."""
        moment, hour = self._clock.monotonic(), self._clock.now()
        for worker in self._stale(moment):
            self._known.pop(worker, None)
        news = self._hub.workers(self._known)
        if news or moment - self._put_at >= KEEP_S:
            self._store.cluster.workers.put(self._session, [_row(view, hour) for view in news])
            self._put_at = moment
        for view in news:
            self._known[view.id] = view.glance
            self._written_at[view.id] = moment
            self._written.append((moment, view.id))
            self._forget(view.id)
            if view.state not in AWAY:
                stays = view.state is not WorkerState.DRAINING and not view.barred
                slots = view.slots if stays else view.running + view.queued
                self._seats[view.id] = (view.capabilities, slots)

    def _stale(self, now: float) -> Iterator[str]:
        """Workers whose rows are old; one that the hub has forgotten is forgotten here, too."""
        while self._written and now - self._written[0][0] >= KEEP_S:
            at, worker = self._written.popleft()
            if self._written_at.get(worker) == at:
                del self._written_at[worker]
                self._forget(worker)
                yield worker

    def _forget(self, worker: str) -> None:
        self._seats.pop(worker, None)
        self._capacities.pop(worker, None)

    def _capacity(self, worker: str, offers: Mapping[str, float]) -> Capacity:
        found = self._capacities.get(worker)
        if found is None:
            found = self._capacities[worker] = Capacity.parse(offers)
        return found


def _row(view: WorkerView, hour: float) -> WorkerRow:
    return WorkerRow(
        id=view.id,
        name=view.name,
        state=view.state,
        offers=view.capabilities,
        figures={
            # One that is away is told of as well, so that nobody counts on it any more.
            "slots": 0 if view.state in AWAY else view.slots,
            "running": view.running,
            "queued": view.queued,
            "barred": view.barred,
            "shut_gpus": "; ".join(str(gpu) for gpu in view.shut_gpus),
            "version": view.morphml_version,
            "python": view.python_version,
            "cpu_percent": view.figures.cpu_percent,
            "memory_percent": view.figures.memory_percent,
            "disk_percent": view.figures.disk_percent,
            "gpu_percent": _mean([gpu.percent for gpu in view.figures.gpus]),
        },
        joined_at=hour,
        silent_s=max(0.0, hour - view.heard_at),
    )


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
