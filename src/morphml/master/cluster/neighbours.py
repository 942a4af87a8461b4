"""This master's workers as other masters may know them, and theirs as this one may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from morphml.clock import Clock
from morphml.engines.remote.hub import Hub
from morphml.ids import SessionId
from morphml.master.cluster.shares import Shares
from morphml.scheduling.resources import Capacity, Requirements
from morphml.scheduling.worker import WorkerState
from morphml.storage import SqlStore
from morphml.storage.cluster import WorkerRow

#: Seconds after which a worker's row is written though only its loads have changed.
KEEP_S = 10.0


class Neighbours:
    """Tells the store of this master's workers, and learns how many slots others could lend.

    Args:
        store: has the rows of all workers.
        session: of this master.
        hub: has its workers.
        shares: what this master's own experiments want.
        clock: monotonic time.
        every_s: seconds between two reports.
    """

    def __init__(
        self,
        store: SqlStore,
        session: SessionId,
        hub: Hub,
        shares: Shares,
        clock: Clock,
        every_s: float,
    ) -> None:
        self._store = store
        self._session = session
        self._hub = hub
        self._shares = shares
        self._clock = clock
        self._every_s = every_s
        self._reported_at: float | None = None
        #: What the store has of each worker here, and since when.
        self._written: dict[str, tuple[WorkerRow, float]] = {}
        #: What each worker of other masters offers, its slots, and how many of them could be lent.
        self._others: list[_Other] = []

    def spare(self, requirements: Mapping[str, float]) -> int:
        """Slots that other masters could lend to one experiment that is driven here.

        Args:
            requirements: of its attempts; only workers that could run them count.
        """
        needs = Requirements.parse(requirements)
        return sum(other.spare for other in self._others if other.capacity.could(needs))

    def could_run(self, requirements: Mapping[str, float]) -> bool:
        """Whether a worker of another master could run attempts with these requirements."""
        needs = Requirements.parse(requirements)
        return any(other.slots and other.capacity.could(needs) for other in self._others)

    def alone_could_run(self, requirements: Mapping[str, float]) -> bool:
        """Whether only workers of other masters could run attempts with these requirements."""
        return not self._hub.fitting.could_run(requirements) and self.could_run(requirements)

    def refresh(self) -> None:
        """Write and read the rows, when it is time."""
        now = self._clock.monotonic()
        if self._reported_at is not None and now - self._reported_at < self._every_s:
            return
        self._reported_at = now
        rows = self._rows()
        news = [row for row in rows if self._is_news(row, now)]
        self._store.cluster.workers.put(self._session, news)
        self._written = {row.id: self._written.get(row.id, (row, now)) for row in rows} | {
            row.id: (row, now) for row in news
        }
        self._others = [
            _Other(
                Capacity.parse(offers),
                int(str(figures.get("slots", 0))),
                int(str(figures.get("spare", 0))),
            )
            for offers, figures in self._store.cluster.workers.elsewhere(self._session)
        ]

    def _is_news(self, row: WorkerRow, now: float) -> bool:
        """Whether the store does not have it like this; how busy a machine is may come later."""
        known = self._written.get(row.id)
        if known is None or now - known[1] >= KEEP_S:
            return True
        return _matters(row) != _matters(known[0])

    def _rows(self) -> list[WorkerRow]:
        away = (WorkerState.LOST, WorkerState.GONE)
        views = self._hub.workers()
        now = self._clock.now()
        left = self._shares.left()
        rows = []
        for view in views:
            # One that is away is told of as well, so that nobody counts on it any more.
            slots = 0 if view.state in away else view.slots
            spare = 0 if view.barred else min(slots, left)
            left -= spare
            rows.append(
                WorkerRow(
                    id=view.id,
                    name=view.name,
                    state=view.state,
                    offers=view.capabilities,
                    figures={
                        "slots": slots,
                        "running": view.running,
                        "queued": view.queued,
                        "spare": spare,
                        "barred": view.barred,
                        "version": view.morphml_version,
                        "python": view.python_version,
                        "cpu_percent": view.figures.cpu_percent,
                        "memory_percent": view.figures.memory_percent,
                        "disk_percent": view.figures.disk_percent,
                        "gpu_percent": _mean([gpu.percent for gpu in view.figures.gpus]),
                    },
                    joined_at=now,
                    silent_s=max(0.0, now - view.heard_at),
                )
            )
        return rows


class _Other(NamedTuple):
    """A worker of another master."""

    capacity: Capacity
    slots: int
    spare: int


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _matters(row: WorkerRow) -> tuple[object, ...]:
    """What people and other masters see at the next report."""
    names = ("slots", "running", "queued", "spare", "barred")
    return (row.name, row.state, tuple(row.figures.get(name) for name in names))
