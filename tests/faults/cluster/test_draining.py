"""Workers that are asked to leave by the command end what they run, and leave; nothing is lost.

One is the only worker of the master that drives, the other one of two at another master.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

from tests.faults.cluster.cluster import Cluster, check_evaluations, check_whole


def test_drained_workers_of_any_master_end_what_they_run_and_leave(cluster: Cluster) -> None:
    cluster.hold("w1", "w2", "w3")
    cluster.take(0.1)
    cluster.start_masters("m1")
    experiment = cluster.submit(40)
    cluster.until(lambda: cluster.driver(experiment), "the first master drives it")
    cluster.start_masters("m2")
    cluster.start_workers("w1", slots=2, at=[cluster.addresses["m1"]], wait=False)
    cluster.start_workers("w2", "w3", slots=2, at=[cluster.addresses["m2"]])
    cluster.until_held(6)
    held = Counter(each.worker for each in cluster.evaluations())
    assert held == {"w1": 2, "w2": 2, "w3": 2}

    words = ("w1", "w2", "--grace", "600", "--wait")
    drains = cluster.start_process("drain", command(cluster, "drain", *words))
    begun = {"w1": "draining", "w2": "draining", "w3": "busy"}
    cluster.until(lambda: states(cluster) == begun, "they drain")
    shown = json.loads(morphml(cluster, "status", "--json"))["workers"]
    assert {worker["name"]: worker["state"] for worker in shown} == begun
    cluster.release("w3")
    cluster.until(lambda: cluster.told(experiment) >= 10, "the third goes on")
    assert Counter(each.worker for each in cluster.evaluations())["w1"] == 2

    assert drains.running
    cluster.release("w1", "w2")
    assert [each.wait() for each in (drains, *map(cluster.workers.get, ("w1", "w2")))] == [0] * 3
    cluster.until_over(experiment)
    check_whole(cluster, experiment, [])
    check_evaluations(cluster, Counter(range(40)))
    by = Counter(each.worker for each in cluster.evaluations())
    assert by == {"w1": 2, "w2": 2, "w3": 36}
    assert all(end.result == "succeeded" for end in cluster.store.attempts(experiment.id))
    over = {"w1": "gone", "w2": "gone", "w3": "idle"}
    cluster.until(lambda: states(cluster) == over, "they are gone")
    assert "is gone" in morphml(cluster, "drain", "w3", "w1", code=2)
    rows = cluster.store.cluster.workers.all()
    assert [row.name for row in rows if row.drains] == ["w1", "w2"]


def test_waiting_for_a_worker_that_dies_instead_of_leaving_fails(cluster: Cluster) -> None:
    cluster.hold("w1")
    cluster.start_masters("m1")
    experiment = cluster.submit(4)
    cluster.start_workers("w1", slots=2)
    cluster.until_held(2)
    drains = cluster.start_process("drain", command(cluster, "drain", "w1", "--wait"))
    cluster.until(lambda: states(cluster) == {"w1": "draining"}, "it drains")
    cluster.workers["w1"].kill()
    assert drains.wait() == 1
    assert "lost before it had left: w1" in drains.text()
    cluster.start_workers("w2", slots=2)
    cluster.until_over(experiment)
    check_evaluations(cluster, Counter({0: 2, 1: 2, 2: 1, 3: 1}))


def states(cluster: Cluster) -> dict[str, str]:
    """Of the workers by name, as their masters tell them."""
    return {worker.name: worker.state.value for worker in cluster.store.cluster.workers.all()}


def morphml(cluster: Cluster, name: str, *words: str, code: int = 0) -> str:
    """What a command says, with that exit status."""
    line = command(cluster, name, *words)
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def command(cluster: Cluster, name: str, *words: str) -> list[str]:
    """As an operator types it."""
    store = ["--storage", cluster.storage] if name == "drain" else [cluster.storage]
    return [sys.executable, "-m", "morphml.cli", name, *words, *store]
