"""Searches on a cluster where nobody dies: everything is counted, and priorities hold."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.faults.cluster.cluster import Cluster, check_evaluations, check_whole
from tests.faults.cluster.conftest import Make

from morphml.master import Experiment

TRIALS = 40


@pytest.mark.parametrize("kind", ["postgres", pytest.param("sqlite", marks=pytest.mark.slow)])
def test_search_on_two_workers_evaluates_each_trial_once(
    kind: str, make_cluster: Make, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    sqlite = str(tmp_path / "store.db")
    storage = sqlite if kind == "sqlite" else request.getfixturevalue("postgres_url")
    cluster = make_cluster(storage)
    cluster.start_masters("m1")
    cluster.start_workers("w1", "w2", slots=2)
    cluster.take(0.1)
    experiment = cluster.submit(TRIALS, optimizer="evolution")
    print(f"{TRIALS} trials in {cluster.until_over(experiment):.1f} s")
    check_whole(cluster, experiment, [])
    check_evaluations(cluster, Counter(range(TRIALS)))
    assert {each.worker for each in cluster.evaluations()} == {"w1", "w2"}
    command = [sys.executable, "-m", "morphml.cli", "replay", "--check", "--json", storage]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["passed"]


def ends(cluster: Cluster, experiment: Experiment) -> list[float]:
    """When its evaluations ended; seconds since the Unix epoch."""
    return [end.started_at + end.duration_s for end in cluster.store.attempts(experiment.id)]


def test_two_experiments_share_the_slots_by_priority(cluster: Cluster) -> None:
    cluster.start_masters("m1")
    cluster.start_workers("w1", "w2", slots=2)
    cluster.hold("w1", "w2")  # else the one is far ahead before the other is driven
    low = cluster.submit(60, priority=3)
    high = cluster.submit(60, priority=9)
    for each in (low, high):
        cluster.until(lambda e=each: cluster.store.task_counts(e.id), "both have tasks")
    cluster.take(0.2)
    cluster.release("w1", "w2")
    cluster.until_over(high)
    cluster.until_over(low)
    over = max(ends(cluster, high))
    share = sum(end <= over for end in ends(cluster, low))
    check_whole(cluster, low, [])
    check_whole(cluster, high, [])
    print(f"when the higher one had 60 results, the lower one had {share}")
    assert 5 <= share <= 40  # by their priorities 20
    check_evaluations(cluster, Counter(range(60)) + Counter(range(60)))
