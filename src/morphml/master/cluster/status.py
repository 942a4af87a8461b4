"""Who is there, who drives what, and what waits: one look at a store that masters share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from morphml.ids import ExperimentId
from morphml.master.resources import missing_on
from morphml.search.changes import ExperimentRecord
from morphml.search.experiment import ExperimentSpec, ExperimentState
from morphml.storage import SqlStore, TaskState
from morphml.storage.cluster import MasterRow, WorkerRow

#: Experiments that are shown though they are over, newest first.
OVER_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentStatus:
    """An experiment at one moment."""

    id: ExperimentId
    name: str
    state: ExperimentState
    reason: str
    #: 1 to 10; higher goes first.
    priority: int
    #: Numbers taken, and how many may be.
    taken: int
    budget: int
    #: Unfinished tasks by state: waiting, leased, ended and not yet judged, paused.
    tasks: Mapping[TaskState, int]
    #: Name of the master that drives it; "" for none.
    driver: str
    #: What its trials need and no worker has, each for people; empty while some worker can run one.
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStatus:
    """Everything that a store knows of its masters and workers."""

    #: Masters whose session has not ended, oldest first.
    masters: tuple[MasterRow, ...]
    #: Workers that a live master reported, by name.
    workers: tuple[WorkerRow, ...]
    #: Those that wait or run, and the newest that are over; newest first.
    experiments: tuple[ExperimentStatus, ...]

    @property
    def slots(self) -> int:
        """Attempts that all workers together run at the same time."""
        return sum(int(str(worker.figures.get("slots", 0))) for worker in self.workers)


def status(store: SqlStore) -> ClusterStatus:
    """The cluster now; a few queries, and one for each experiment that is not over."""
    masters = tuple(store.cluster.masters())
    drivers = {experiment: master.name for master in masters for experiment in master.experiments}
    workers = tuple(worker for worker in store.cluster.workers.all() if worker.live)
    return ClusterStatus(
        masters=masters,
        workers=workers,
        experiments=tuple(_experiments(store, drivers, workers)),
    )


def _experiments(
    store: SqlStore, drivers: Mapping[ExperimentId, str], workers: Sequence[WorkerRow]
) -> list[ExperimentStatus]:
    over = (ExperimentState.COMPLETED, ExperimentState.FAILED)
    shown, left = [], OVER_SHOWN
    for record in store.experiments():
        if record.state in over:
            left -= 1
            if left < 0:
                continue
        shown.append(
            ExperimentStatus(
                id=record.id,
                name=record.name,
                state=record.state,
                reason=record.reason,
                priority=record.priority,
                taken=record.next_number,
                budget=record.budget,
                tasks={} if record.state in over else store.task_counts(record.id),
                driver=drivers.get(record.id, ""),
                waits_for=_waits_for(record, workers),
            )
        )
    return shown


def _waits_for(record: ExperimentRecord, workers: Sequence[WorkerRow]) -> tuple[str, ...]:
    if record.state not in (ExperimentState.QUEUED, ExperimentState.RUNNING):
        return ()
    resources = ExperimentSpec.from_json(record.spec).resources
    return tuple(str(lack) for lack in missing_on(workers, resources))
