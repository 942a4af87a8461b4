"""Many short tasks on many workers, some of which are killed: none lost, none twice."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
from tests.faults.cluster.cluster import Cluster, check_whole


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("count", "trials", "killed"),
    [(10, 200, 2), pytest.param(50, 1000, 5, marks=pytest.mark.slow)],
)
def test_tasks_of_many_workers_all_end_once_when_some_workers_are_killed(
    count: int, trials: int, killed: int, cluster: Cluster
) -> None:
    cluster.start_masters("m1")
    script = str(Path(__file__).with_name("many_workers.py"))
    places = [str(cluster.tokens), str(cluster.folder / "workers"), str(count)]
    command = [sys.executable, script, *places, cluster.addresses["m1"]]
    began = time.monotonic()
    workers = cluster.start_process("workers", command)
    cluster.until(lambda: len(cluster.present()) == count, "all workers are there", 300)
    print(f"{count} workers are there after {time.monotonic() - began:.1f} s")
    pids = [int(word) for word in workers.text().split() if word.isdigit()]
    assert len(pids) == count

    cluster.take(0.5)
    experiment = cluster.submit(trials)
    for number, victim in enumerate(random.Random(3).sample(pids, killed)):
        reached = trials * (number + 1) // (killed + 3)
        cluster.until(lambda n=reached: len(cluster.evaluations()) > n, f"{reached} began", 300)
        os.kill(victim, signal.SIGKILL)
    before = cluster.log(experiment)
    cluster.until_over(experiment, 300)
    seen = cluster.evaluations()
    took = seen[-1].at - seen[0].at
    ideal = trials * 0.5 / count
    print(f"{trials} trials in {took:.1f} s, {ideal:.1f} s of them work")
    check_whole(cluster, experiment, before)  # a thousand completed: none lost, failed or twice
    again = len(seen) - trials
    print(f"{again} evaluations ran again")
    # A worker that does not take a task within 2 s, as on a busy machine, has it taken away.
    assert 0 <= again <= killed + trials // 20
    assert set(cluster.evaluated()) == set(range(trials))
