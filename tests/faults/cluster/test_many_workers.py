"""A thousand short tasks on fifty workers, five of which are killed: none lost, none twice."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
from tests.faults.cluster.cluster import Cluster, check_whole

WORKERS = 50
TRIALS = 1000
KILLED = 5


@pytest.mark.timeout(400)
def test_thousand_tasks_on_fifty_workers_all_end_once_when_five_workers_are_killed(
    cluster: Cluster,
) -> None:
    cluster.start_masters("m1")
    script = str(Path(__file__).with_name("many_workers.py"))
    places = [str(cluster.tokens), str(cluster.folder / "workers"), str(WORKERS)]
    command = [sys.executable, script, *places, cluster.addresses["m1"]]
    began = time.monotonic()
    workers = cluster.start_process("workers", command)
    cluster.until(lambda: len(cluster.present()) == WORKERS, "all workers are there", 180)
    print(f"{WORKERS} workers are there after {time.monotonic() - began:.1f} s")
    pids = [int(word) for word in workers.text().split() if word.isdigit()]
    assert len(pids) == WORKERS

    cluster.take(0.5)
    experiment = cluster.submit(TRIALS)
    for number, victim in enumerate(random.Random(3).sample(pids, KILLED)):
        reached = 100 + 150 * number
        cluster.until(lambda n=reached: len(cluster.evaluations()) > n, f"{reached} began", 180)
        os.kill(victim, signal.SIGKILL)
    before = cluster.log(experiment)
    cluster.until_over(experiment, 180)
    seen = cluster.evaluations()
    took = seen[-1].at - seen[0].at
    ideal = TRIALS * 0.5 / WORKERS
    print(f"{TRIALS} trials in {took:.1f} s, {ideal:.1f} s of them work")
    check_whole(cluster, experiment, before)  # a thousand completed: none lost, failed or twice
    again = len(seen) - TRIALS
    print(f"{again} evaluations ran again")
    # A worker that does not take a task within 2 s, as on a busy machine, has it taken away.
    assert 0 <= again <= KILLED + TRIALS // 20
    assert set(cluster.evaluated()) == set(range(TRIALS))
