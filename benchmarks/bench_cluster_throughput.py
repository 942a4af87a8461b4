"""Tasks per second that do nothing, through one master on PostgreSQL: what is added to each task.

All tasks are queued before the master takes the experiment up, and no optimizer is asked. Each runs
in a child process of a worker, as any other. The rate is from the first start to the last end.
"""

from __future__ import annotations

import argparse

import morphml as mm
from benchmarks.cluster import Cluster, load, private_cluster
from benchmarks.queueing import queue_all
from morphml.master import Experiment

WORKERS, SLOTS = 4, 8
SPACE = mm.SearchSpace(decisions={"a": mm.integer(0, 999), "b": mm.integer(0, 999)})


def measure(cluster: Cluster, tasks: int) -> dict[str, object]:
    """One queue, from full to empty."""
    busy = load()
    options = {"objectives": {"a": "max"}, "optimizer": "random", "trials": tasks, "seed": 1}
    with Experiment.create(
        SPACE, "naps:nothing", storage=cluster.url, engine="remote", **options
    ) as experiment:
        queue_all(experiment)
        before = cluster.cpu_seconds()
        experiment.submit()
        cluster.until_over(experiment.id)
        after = cluster.cpu_seconds()
        attempts = list(experiment.store.attempts(experiment.id))
    assert len(attempts) == tasks
    assert all(attempt.result == "succeeded" for attempt in attempts)
    first = min(a.started_at for a in attempts)
    last = max(a.started_at + a.duration_s for a in attempts)
    return {
        "case": f"{tasks:,} queued no-op tasks, {WORKERS} workers x {SLOTS} slots",
        "tasks_per_s": round(tasks / (last - first)),
        "span_s": round(last - first, 2),
        **{
            f"{who}_ms_per_task": round((after[who] - before[who]) / tasks * 1000, 3)
            for who in after
        },
        "load": busy,
    }


def run(tasks: int = 10_000) -> list[dict[str, object]]:
    """All rows of the table."""
    with private_cluster() as cluster:
        cluster.start_masters("m1")
        cluster.start_workers(WORKERS, SLOTS)
        return [measure(cluster, tasks)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    for row in run(parser.parse_args().tasks):
        print(row)
