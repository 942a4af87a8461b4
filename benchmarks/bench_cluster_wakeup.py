"""From the commit of a task to the start of user code on a worker that has nothing to do.

The beginning is the database's time within the transaction that enqueues the task, so what the
commit itself takes counts. The end is the evaluator's own first look at the clock.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import morphml as mm
from benchmarks.cluster import Cluster, load, private_cluster
from morphml.master import Experiment

TRIALS = 200
#: The first ones find no code and no children at the worker.
LEFT_OUT = 20
SPACE = mm.SearchSpace(decisions={"a": mm.integer(0, 999), "b": mm.integer(0, 999)})


def measure(
    cluster: Cluster, case: str, trials: int, begin: Callable[[], object]
) -> dict[str, object]:
    """Trials one after the other, each asked for when the one before it is told.

    Args:
        cluster: with a master.
        case: as it stands in the table.
        trials: how many.
        begin: lets the worker join, once the first master drives.
    """
    busy = load()
    options = {"objectives": {"at": "max"}, "optimizer": "random", "trials": trials, "seed": 1}
    with Experiment.create(
        SPACE, "naps:moment", storage=cluster.url, engine="remote", **options
    ) as experiment:
        experiment.submit()
        cluster.until(lambda: cluster.driver(experiment.id) == "m1")
        begin()
        cluster.until_over(experiment.id)
        found = list(experiment.store.trials(experiment.id))
    assert len(found) == trials
    waits = sorted(1000 * (each.metrics["at"] - each.created_at) for each in found[LEFT_OUT:])
    return {
        "case": case,
        "median_ms": round(statistics.median(waits), 1),
        "p95_ms": round(waits[int(0.95 * len(waits))], 1),
        "load": busy,
    }


def on_own_worker() -> dict[str, object]:
    """The master that drives the search has the worker."""
    with private_cluster() as cluster:
        cluster.start_masters("m1")
        case = "wake-up, worker of the driving master"
        return measure(cluster, case, TRIALS, lambda: cluster.start_workers(1, slots=1))


def on_worker_of_another() -> dict[str, object]:
    """One master drives and has no worker: another is told, claims the task and has it run."""
    with private_cluster() as cluster:
        cluster.start_masters("m1")

        def begin() -> None:
            cluster.start_masters("m2")
            cluster.start_workers(1, slots=1, masters=["m2"])

        return measure(cluster, "wake-up, worker of another master", TRIALS, begin)


def run() -> list[dict[str, object]]:
    """All rows of the table."""
    measures: tuple[Callable[[], dict[str, object]], ...] = (on_own_worker, on_worker_of_another)
    return [each() for each in measures]


if __name__ == "__main__":
    for row in run():
        print(row)
