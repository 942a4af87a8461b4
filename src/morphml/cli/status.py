"""``morphml status``: masters, workers and experiments of a store, and who drives what."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from morphml.cli.cluster_options import Watch
from morphml.cli.guard import guard
from morphml.cli.listing import readable
from morphml.cli.options import AsJson, Store
from morphml.cli.screen import results, table_of, write_json

if TYPE_CHECKING:
    from morphml.ids import SessionId
    from morphml.master.cluster.status import ClusterStatus, ExperimentStatus
    from morphml.storage.cluster import MasterRow, WorkerRow

#: Seconds between two looks of ``--watch``.
LOOK_EVERY_S = 1.0

MASTER_HEADS = {"master": False, "address": False, "up": True, "lease s": True, "drives": False}
WORKER_HEADS = {
    "worker": False,
    "state": False,
    "slots": True,
    "running": True,
    "cpu %": True,
    "memory %": True,
    "gpu %": True,
    "told s": True,
    "has": False,
    "master": False,
}
EXPERIMENT_HEADS = {
    "experiment": False,
    "name": False,
    "state": False,
    "priority": True,
    "trials": True,
    "waiting": True,
    "leased": True,
    "driver": False,
}


def status(
    context: typer.Context, storage: Store, watch: Watch = False, as_json: AsJson = False
) -> None:
    """Show the masters, workers and experiments of a store, and who drives what."""
    with guard(context, as_json=as_json), readable(storage) as store:
        # The store takes a second to import, and help and completion read this module.
        from morphml.master.cluster.status import status as look  # noqa: PLC0415

        def now() -> ClusterStatus:
            return look(store)

        if not watch and as_json:
            write_json(status_document(now()))
        elif not watch:
            results().print(status_view(now(), time.time()))
        else:
            with suppress(KeyboardInterrupt):  # the way to end it
                _stream(now) if as_json else _live(now)


def _stream(now: Callable[[], ClusterStatus]) -> None:
    """One JSON document per line and second, until Ctrl-C."""
    while True:
        results().file.write(json.dumps(status_document(now()), default=str) + "\n")
        results().file.flush()
        time.sleep(LOOK_EVERY_S)


def _live(now: Callable[[], ClusterStatus]) -> None:
    """The tables in place, until Ctrl-C; in a pipe or a file one after the other."""
    if not results().is_terminal:
        while True:
            results().print(status_view(now(), time.time()))
            time.sleep(LOOK_EVERY_S)
    with Live(console=results(), auto_refresh=False, screen=True) as live:
        while True:
            live.update(status_view(now(), time.time()), refresh=True)
            time.sleep(LOOK_EVERY_S)


def status_view(found: ClusterStatus, now: float) -> RenderableType:
    """Three tables; ``now`` in seconds since the Unix epoch."""
    names: dict[SessionId | None, str] = {m.session: m.name for m in found.masters}
    busy = sum(figure_of(worker, "running") for worker in found.workers)
    head = (
        f"{_count(len(found.masters), 'master')}, {_count(len(found.workers), 'worker')}, "
        f"{busy:.0f} of {_count(found.slots, 'slot')} busy"
    )
    parts: list[RenderableType] = [Text(head, style="bold")]
    if found.masters:
        rows = [_master_row(master, now) for master in found.masters]
        parts.append(table_of("Masters", MASTER_HEADS, rows))
    if found.workers:
        parts.append(_workers_table(found.workers, names))
    if found.experiments:
        rows = [_experiment_row(experiment) for experiment in found.experiments]
        parts.append(table_of("Experiments", EXPERIMENT_HEADS, rows))
        parts += [Text(line) for line in map(_reason_line, found.experiments) if line]
    return Group(*parts)


def status_document(found: ClusterStatus) -> dict[str, object]:
    """The same as a JSON object; times in seconds."""
    return {
        "masters": [
            {
                "session": master.session,
                "name": master.name,
                "address": master.address,
                "started_at": master.started_at,
                "lease_left_s": master.lease_left_s,
                "experiments": list(master.experiments),
            }
            for master in found.masters
        ],
        "workers": [
            {
                "id": worker.id,
                "name": worker.name,
                "state": worker.state.value,
                "offers": dict(worker.offers),
                "figures": dict(worker.figures),
                "told_s_ago": worker.silent_s,
                "master": worker.master,
            }
            for worker in found.workers
        ],
        "slots": found.slots,
        "experiments": [experiment_document(experiment) for experiment in found.experiments],
    }


def experiment_document(experiment: ExperimentStatus) -> dict[str, object]:
    """One experiment as a JSON object."""
    return {
        "id": experiment.id,
        "name": experiment.name,
        "state": experiment.state.value,
        "reason": experiment.reason,
        "priority": experiment.priority,
        "taken": experiment.taken,
        "budget": experiment.budget,
        "tasks": {state.value: count for state, count in experiment.tasks.items()},
        "driver": experiment.driver,
        "waits_for": list(experiment.waits_for),
    }


def figure_of(worker: WorkerRow, name: str) -> float:
    """A number among a worker's figures; 0 where it has none of that name."""
    value = worker.figures.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _master_row(master: MasterRow, now: float) -> tuple[object, ...]:
    drives = ", ".join(master.experiments) or "-"
    up = _span(max(0.0, now - master.started_at))
    return (master.name, master.address or "-", up, f"{master.lease_left_s:.1f}", drives)


def _workers_table(
    workers: Sequence[WorkerRow], names: Mapping[SessionId | None, str]
) -> RenderableType:
    """The workers; GPUs have a column where a worker has some."""
    gpus = any(worker.figures.get("gpu_percent") is not None for worker in workers)
    heads = {head: right for head, right in WORKER_HEADS.items() if gpus or head != "gpu %"}
    return table_of("Workers", heads, [_worker_row(worker, names, gpus) for worker in workers])


def _worker_row(
    worker: WorkerRow, names: Mapping[SessionId | None, str], gpus: bool
) -> tuple[object, ...]:
    used = worker.figures.get("gpu_percent")
    gpu = "-" if used is None else f"{figure_of(worker, 'gpu_percent'):.0f}"
    return (
        worker.name,
        _state_text(worker),
        f"{figure_of(worker, 'slots'):.0f}",
        f"{figure_of(worker, 'running'):.0f}",
        f"{figure_of(worker, 'cpu_percent'):.0f}",
        f"{figure_of(worker, 'memory_percent'):.0f}",
        *((gpu,) if gpus else ()),
        f"{worker.silent_s:.1f}",
        offers_text(worker),
        names.get(worker.master, "-"),
    )


def _state_text(worker: WorkerRow) -> str:
    """Its state, and why it gets no work where it does not."""
    causes = (worker.figures.get("barred"), worker.figures.get("shut_gpus"))
    return ", ".join([worker.state.value, *(str(cause) for cause in causes if cause)])


def offers_text(worker: WorkerRow) -> str:
    """What a worker has: cores, GPUs by model and labels; amounts of bytes are left out."""
    # It comes with numpy, which help and completion have no need of.
    from morphml.scheduling.resources import Capacity  # noqa: PLC0415

    capacity = Capacity.parse(worker.offers)
    models = Counter(gpu.model for gpu in capacity.gpus)
    return ", ".join(
        [
            *(f"{cores:g} cpu" for name, cores in capacity.amounts.items() if name == "cpu"),
            *(f"{count} gpu {model}".strip() for model, count in sorted(models.items())),
            *(
                name if amount == 1 else f"{amount:g} {name}"
                for name, amount in sorted(capacity.labels.items())
            ),
        ]
    )


def _experiment_row(experiment: ExperimentStatus) -> tuple[object, ...]:
    tasks = {state.value: count for state, count in experiment.tasks.items()}
    return (
        experiment.id,
        experiment.name,
        experiment.state.value,
        experiment.priority,
        f"{experiment.taken}/{experiment.budget}",
        tasks.get("pending", 0),
        tasks.get("leased", 0),
        experiment.driver or "-",
    )


def _reason_line(experiment: ExperimentStatus) -> str:
    """Why it is in its state, or why none of its trials can run now, or ""."""
    waits = f"waits: {'; '.join(experiment.waits_for)}" if experiment.waits_for else ""
    why = experiment.reason or waits
    return f"{experiment.name} ({experiment.id}): {why}" if why else ""


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _span(seconds: float) -> str:
    """A time for people: ``42s``, ``17m``, ``3h05``, ``2d04h``."""
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if minutes < 1:
        return f"{seconds:.0f}s"
    if hours < 1:
        return f"{minutes}m"
    if hours < 24:
        return f"{hours}h{minutes % 60:02d}"
    return f"{hours // 24}d{hours % 24:02d}h"
