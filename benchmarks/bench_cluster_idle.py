"""What 1,000 connected workers without work cost their master, beside a bare server.

Each beats every 10 s over a connection of its own. The master is a whole one, with its store on
PostgreSQL; the bare server only answers each message. Time is that of the process in 40 s.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from benchmarks.cluster import ROOT, load, private_cluster

WORKERS = 1_000
BEAT_S = 10.0
#: Seconds until all is quiet after the last has come, and seconds that are measured.
SETTLE_S, MEASURED_S = 15.0, 40.0


@contextmanager
def program(*arguments: str) -> Iterator[tuple[int, str]]:
    """A module of this folder as a process: its id, and the first line that it said."""
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process.pid, process.stdout.readline().strip()
        finally:
            process.kill()


def measure(pid: int, address: str, case: str, workers: int) -> dict[str, object]:
    """Cost of the workers to the process that serves them."""
    process = psutil.Process(pid)
    empty = process.memory_info().rss
    began = time.monotonic()
    with program("benchmarks.idle_workers", address, str(workers), str(BEAT_S)) as (_, said):
        assert said == "all", said
        joined = time.monotonic() - began
        time.sleep(SETTLE_S)
        busy = load()
        before, began = process.cpu_times(), time.monotonic()
        time.sleep(MEASURED_S)
        after, took = process.cpu_times(), time.monotonic() - began
        full = process.memory_info().rss
    used = after.user + after.system - before.user - before.system
    return {
        "case": case,
        "cpu_percent": round(100 * used / took, 2),
        "rss_mb": round(full / 2**20, 1),
        "rss_mb_before": round(empty / 2**20, 1),
        "joined_s": round(joined, 1),
        "load": busy,
    }


def run(workers: int = WORKERS) -> list[dict[str, object]]:
    """All rows of the table."""
    rows = []
    with private_cluster() as cluster:
        cluster.start_masters("m1", options=["--beat", str(BEAT_S)])
        pid, address = cluster.masters["m1"].pid, cluster.addresses["m1"]
        rows.append(measure(pid, address, f"master, {workers:,} idle workers", workers))
        here = len(cluster.workers())
        assert here == workers, here
    with program("benchmarks.bare_server") as (pid, address):
        rows.append(measure(pid, address, f"bare grpc.aio, {workers:,} idle streams", workers))
    return rows


if __name__ == "__main__":
    for row in run():
        print(row)
