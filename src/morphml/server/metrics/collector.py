"""The metrics of one master, made anew at each scrape from what it knows."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from morphml.engines.remote.hub import WorkerView
from morphml.errors import StorageError
from morphml.ids import ExperimentId
from morphml.master.cluster.drive import Drive
from morphml.master.cluster.master import Master
from morphml.master.tally import BUCKETS_S, Counts
from morphml.scheduling.failures import FailureKind
from morphml.scheduling.worker import WorkerState
from morphml.storage import TaskState
from morphml.version import __version__

_LOG = logging.getLogger(__name__)

#: States in which a worker may work.
_ACTIVE = (WorkerState.IDLE, WorkerState.BUSY, WorkerState.DRAINING)


class MasterCollector(Collector):
    """Tells Prometheus of a master.

    Args:
        master: that runs.

    Cost: O(workers + driven experiments), and two small queries for each driven experiment.
    """

    def __init__(self, master: Master) -> None:
        self._master = master

    def collect(self) -> Iterator[Metric]:
        """All metrics now."""
        info = InfoMetricFamily("morphml_build", "The version of MorphML that runs")
        info.add_metric([], {"version": __version__})
        yield info
        workers = self._master.hub.workers()
        yield from _of_tasks(self._master.tally.counts())
        yield from _of_workers(workers)
        yield _barred(self._master.hub.sights.barred())
        yield from _of_machines(workers)
        yield _counter(
            "morphml_scheduling_decisions",
            "Attempts that were placed on a worker",
            self._master.hub.sights.decisions(),
        )
        yield from self._of_experiments()

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are made at each scrape."""
        return ()

    # --- experiments -----------------------------------------------------------------------------

    def _of_experiments(self) -> Iterator[Metric]:
        drives = self._master.driven
        yield _gauge("morphml_experiments_driven", "Experiments that are driven here", len(drives))
        yield from _best(drives)
        depth = GaugeMetricFamily(
            "morphml_task_queue_depth",
            "Tasks of experiments driven here that wait for a slot; priority 10 goes first",
            labels=["priority"],
        )
        waiting: Counter[ExperimentId] = Counter()
        for view in self._master.hub.waiting():
            waiting[view.experiment] += view.count
        by_priority: Counter[int] = Counter()
        is_up = 1.0
        try:
            for drive in drives:
                pending = self._master.store.task_counts(drive.experiment).get(TaskState.PENDING, 0)
                by_priority[drive.priority] += pending + waiting[drive.experiment]
        except StorageError as error:
            _LOG.debug("the store could not be asked for metrics: %s", error)
            is_up = 0.0
        for priority, count in sorted(by_priority.items()):
            depth.add_metric([str(priority)], count)
        if not drives:
            depth.add_metric(["5"], 0.0)
        yield depth
        yield _gauge("morphml_store_up", "Whether the store answered at this scrape", is_up)


def _best(drives: Iterable[Drive]) -> Iterator[Metric]:
    best = GaugeMetricFamily(
        "morphml_best_fitness",
        "Best value of the first objective so far",
        labels=["experiment", "name", "objective"],
    )
    trials = GaugeMetricFamily(
        "morphml_trials", "Trials of an experiment by state", labels=["experiment", "name", "state"]
    )
    for drive in drives:
        seen = drive.progress
        if seen is None:
            continue
        for state, count in seen.counts.items():
            trials.add_metric([drive.experiment, seen.name, state], count)
        if seen.best_value is not None:
            labels = [drive.experiment, seen.name, seen.objective]
            best.add_metric(labels, float(seen.best_value))
    yield best
    yield trials


# --- tasks ---------------------------------------------------------------------------------------


def _of_tasks(counts: Counts) -> Iterator[Metric]:
    yield _counter("morphml_tasks_completed", "Tasks that ended with a result", counts.completed)
    yield _counter("morphml_tasks_cancelled", "Tasks that were cancelled", counts.cancelled)
    for name, words, by_kind in (
        ("morphml_tasks_failed", "Tasks that failed for good, by the last failure", counts.failed),
        ("morphml_attempts_retried", "Failed attempts whose task is tried again", counts.retried),
    ):
        family = CounterMetricFamily(name, words, labels=["kind"])
        for kind in FailureKind:
            family.add_metric([kind.value], by_kind.get(kind, 0))
        yield family
    ends = [*(str(float(each)) for each in BUCKETS_S), "+Inf"]
    buckets = list(zip(ends, accumulate(counts.durations), strict=True))
    durations = HistogramMetricFamily(
        "morphml_task_duration_seconds", "Seconds that completed tasks ran"
    )
    durations.add_metric([], buckets, counts.duration_s)
    yield durations


# --- workers -------------------------------------------------------------------------------------


def _of_workers(workers: list[WorkerView]) -> Iterator[Metric]:
    states = Counter(worker.state for worker in workers)
    active = sum(states[state] for state in _ACTIVE)
    yield _gauge("morphml_workers_active", "Workers that are here and answer", active)
    by_state = GaugeMetricFamily("morphml_workers", "Workers by state", labels=["state"])
    for state in WorkerState:
        by_state.add_metric([state.value], states[state])
    yield by_state
    here = [worker for worker in workers if worker.state in _ACTIVE]
    slots = GaugeMetricFamily("morphml_slots", "Slots of the workers here", labels=["state"])
    slots.add_metric(["busy"], sum(worker.running for worker in here))
    slots.add_metric(["free"], sum(worker.free for worker in here))
    yield slots


def _barred(causes: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(
        "morphml_workers_barred",
        "Workers that get no work though they are here: an open breaker, bad health, no good GPU",
        labels=["cause"],
    )
    for cause in ("breaker", "health", "gpus"):
        family.add_metric([cause], causes.get(cause, 0))
    return family


def _of_machines(workers: list[WorkerView]) -> Iterator[Metric]:
    families = {
        name: GaugeMetricFamily(f"morphml_worker_{name}", words, labels=["worker"])
        for name, words in (
            ("cpu_percent", "How busy the worker's processors are"),
            ("memory_percent", "How much of the worker's memory is used"),
            ("disk_free_bytes", "Room on the disk of the worker's files"),
            ("disk_bytes_per_second", "Bytes that the worker's disks read and write"),
            ("network_bytes_per_second", "Bytes that the worker's networks receive and send"),
            ("gpus_shut", "GPUs of the worker that get no work: broken or sick"),
        )
    }
    gpus = [
        GaugeMetricFamily(f"morphml_worker_gpu_{name}", words, labels=["worker", "gpu"])
        for name, words in (
            ("percent", "How busy the GPU is"),
            ("memory_percent", "How much of the GPU's memory is used"),
            ("temperature_celsius", "How hot the GPU is"),
            ("errors", "Errors of the GPU that only a reset or a repair mends"),
        )
    ]
    for worker in workers:
        if worker.state not in _ACTIVE:
            continue
        seen, label = worker.figures, [worker.name]
        families["cpu_percent"].add_metric(label, seen.cpu_percent)
        families["memory_percent"].add_metric(label, seen.memory_percent)
        families["disk_bytes_per_second"].add_metric(label, seen.disk_rate)
        families["network_bytes_per_second"].add_metric(label, seen.network_rate)
        families["gpus_shut"].add_metric(label, len(worker.shut_gpus))
        if seen.disk_free is not None:
            families["disk_free_bytes"].add_metric(label, seen.disk_free)
        for gpu in seen.gpus:
            values = (gpu.percent, gpu.memory_percent, gpu.temperature_c, float(gpu.errors))
            for family, value in zip(gpus, values, strict=True):
                family.add_metric([worker.name, str(gpu.index)], value)
    yield from families.values()
    yield from gpus


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _counter(name: str, words: str, value: float) -> Metric:
    return CounterMetricFamily(name, words, value=value)
