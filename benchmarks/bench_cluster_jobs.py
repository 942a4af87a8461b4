"""Jobs that do nothing, through two masters on PostgreSQL, and what it costs to submit and look.

Each job runs in a child process of a worker, as any other. The rate is from the call that submits
them to the end of the execution.
"""

from __future__ import annotations

import argparse
import statistics
import time

from benchmarks.cluster import Cluster, load, private_cluster
from morphml.master.workflows import Executions
from morphml.optimizers.events import JSON
from morphml.workflow import ExecutionState

WORKERS, SLOTS = 2, 8
#: Looks at the execution while it runs, and the time between two of them.
LOOKS, LOOK_EVERY_S = 100, 0.02


def measure(cluster: Cluster, jobs: int) -> dict[str, object]:
    """One execution of jobs that wait for nothing, from its submission to its end."""
    busy = load()
    executions = Executions(cluster.store)
    document: dict[str, JSON] = {
        "workflowId": "nothing",
        "jobs": [{"id": f"j{n}", "type": "preprocessing"} for n in range(jobs)],
    }
    before = cluster.cpu_seconds()
    began = time.perf_counter()
    id = executions.start(document).id
    submitted = time.perf_counter()
    looks = [look(executions, id) for _ in range(LOOKS)]
    cluster.until(lambda: executions.show(id).state.ended, timeout_s=600.0, every_s=0.1)
    ended = time.perf_counter()
    after = cluster.cpu_seconds()
    assert executions.show(id).state is ExecutionState.COMPLETED
    return {
        "case": f"{jobs:,} no-op jobs, 2 masters, {WORKERS} workers x {SLOTS} slots",
        "jobs_per_s": round(jobs / (ended - began)),
        "submit_s": round(submitted - began, 3),
        "look_ms": round(statistics.median(looks) * 1000, 2),
        **{
            f"{who}_ms_per_job": round((after[who] - before[who]) / jobs * 1000, 3) for who in after
        },
        "load": busy,
    }


def look(executions: Executions, id: str) -> float:
    """Seconds that one look at the execution takes."""
    began = time.perf_counter()
    executions.show(id)
    took = time.perf_counter() - began
    time.sleep(LOOK_EVERY_S)
    return took


def run(jobs: int = 1_000, repeats: int = 3) -> list[dict[str, object]]:
    """All rows of the table."""
    with private_cluster() as cluster:
        cluster.start_masters("m1", "m2")
        for master in ("m1", "m2"):
            cluster.start_workers(WORKERS // 2, SLOTS, [master])
        return [measure(cluster, jobs) for _ in range(repeats)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000)
    for row in run(parser.parse_args().jobs):
        print(row)
