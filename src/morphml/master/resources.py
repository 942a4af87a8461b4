"""What trials need against what there is: on this machine, and on the workers of a store."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

from morphml.engines.devices import default_workers, gpus
from morphml.engines.machine import local_capacity
from morphml.errors import RequirementsError
from morphml.master.refusals import MOST_WORKERS
from morphml.scheduling.resources import Capacity, Holdings, Missing, Requirements, missing, words
from morphml.scheduling.worker import AWAY, WorkerState
from morphml.storage import SqlStore
from morphml.storage.cluster import WorkerRow

_TAKES_NOTHING = AWAY | {WorkerState.DRAINING}


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


def missing_on(rows: Iterable[WorkerRow], resources: Mapping[str, float]) -> tuple[Missing, ...]:
    """What none of these workers has as far as they are there, so that such a trial runs nowhere.

    Empty when one could run it, busy or not.

    Args:
        rows: as the store has them.
        resources: what one trial needs.
    """
    there = (row for row in rows if row.live and row.state not in _TAKES_NOTHING)
    return missing(Requirements.parse(resources), [Capacity.parse(row.offers) for row in there])


def check_feasible(store: SqlStore, resources: Mapping[str, float], *, strict: bool) -> None:
    """Say it where no worker that is there now can run such trials; one query.

    Workers may still join, so it is a warning, and none where nobody has joined yet.

    Args:
        store: that the masters share.
        resources: what one trial needs.
        strict: raise instead, and also where there is no worker at all.

    Raises:
        RequirementsError: what is missing.
    """
    rows = store.cluster.workers.all()
    lacks = missing_on(rows, resources)
    if not lacks:
        return
    text = (
        f"no worker that is there now can run the trials, which need "
        f"{words(Requirements.parse(resources))}: {'; '.join(str(each) for each in lacks)}"
    )
    if strict:
        raise RequirementsError(f"{text}; start such a worker first, or ask for less")
    if not all(lack.name == "workers" and not lack.most for lack in lacks):
        warnings.warn(
            f"{text}; they wait until such a worker joins", InfeasibleWarning, stacklevel=3
        )
