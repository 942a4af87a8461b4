"""What trials need against what there is: on this machine, and on the workers of a store."""

from __future__ import annotations

from collections.abc import Mapping

from morphml.engines.devices import default_workers, gpus
from morphml.engines.machine import local_capacity
from morphml.errors import RequirementsError
from morphml.master.refusals import MOST_WORKERS
from morphml.scheduling.resources import Capacity, Holdings, Missing, Requirements, missing, words
from morphml.scheduling.worker import WorkerState
from morphml.storage import SqlStore
from morphml.storage.cluster import WorkerRow

_AWAY = (WorkerState.LOST, WorkerState.GONE)


class InfeasibleWarning(UserWarning):
    """What was submitted can run on none of the workers that are there now."""


def local_workers(resources: Mapping[str, float], wanted: int | None = None) -> int:
    """How many trials this machine runs at a time.

    Args:
        resources: what one trial needs.
        wanted: at most so many; by default as many as fit on the GPUs where they need some, else
            one for each GPU, else half the processors. 0 is the caller's process, and stays 0.

    Raises:
        RequirementsError: when not even one fits, or the needs make no sense.
    """
    devices = gpus()
    needs = Requirements.parse(resources)
    capacity = local_capacity(devices)
    if lacks := missing(needs, [capacity]):
        raise RequirementsError(
            f"a trial needs {'; '.join(each.here() for each in lacks)}; ask for less, or run it "
            "where there is more"
        )
    if wanted is None:
        binds = needs.gpu is not None and needs.gpu.count
        wanted = MOST_WORKERS if binds else default_workers(devices)
    return Holdings(capacity).room(needs, wanted)


def missing_on_workers(store: SqlStore, resources: Mapping[str, float]) -> tuple[Missing, ...]:
    """What no live worker of a store's masters has, so that such a trial runs nowhere now.

    Empty when one could run it, busy or not. One query.
    """
    rows = store.cluster.workers.all()
    return missing(Requirements.parse(resources), capacities(rows))


def capacities(rows: list[WorkerRow]) -> list[Capacity]:
    """What the workers have that are there."""
    return [Capacity.parse(row.offers) for row in rows if row.live and row.state not in _AWAY]


def infeasible_text(resources: Mapping[str, float], lacks: tuple[Missing, ...]) -> str:
    """Why no worker can run a trial and what to do, for people."""
    needs = words(Requirements.parse(resources))
    found = "; ".join(str(each) for each in lacks)
    return (
        f"no worker that is there now can run its trials, which need {needs}: {found}. It waits "
        "until such a worker joins; start one, or stop it and ask for less"
    )
