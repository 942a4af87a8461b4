"""A broken machine fails no search, a dying one blames nobody, and a useless evaluator ends it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.faults.cluster.cluster import Cluster, check_evaluations, check_whole
from tests.faults.cluster.conftest import Make

from morphml.master import Experiment

MASTER = Path(__file__).with_name("patient_master.py")
TRIALS = 120


@pytest.fixture
def cluster(make_cluster: Make, tmp_path: Path) -> Cluster:
    """A cluster with one master on a SQLite file, and no worker."""
    cluster = make_cluster(str(tmp_path / "store.db"))
    artifacts, tokens = str(tmp_path / "artifacts"), str(cluster.tokens)
    command = [sys.executable, str(MASTER), cluster.storage, "127.0.0.1:0", "m1"]
    cluster.start_master("m1", [*command, artifacts, tokens])
    return cluster


def barred(cluster: Cluster, worker: str) -> str:
    rows = {row.name: row for row in cluster.store.cluster.workers.all()}
    return str(rows[worker].figures["barred"])


def eaten(cluster: Cluster, experiment: Experiment) -> int:
    """Attempts that the broken worker ate."""
    ends = cluster.store.attempts(experiment.id)
    return sum(end.worker.startswith("w1/") and end.result == "failed" for end in ends)


@pytest.mark.parametrize(
    "evaluator", ["evaluate", pytest.param("Prepared", marks=pytest.mark.slow)]
)
def test_worker_without_its_data_fails_no_trial_and_works_again_once_they_are_back(
    evaluator: str, cluster: Cluster
) -> None:
    away = cluster.folder / "away-w1"
    away.touch()
    cluster.start_workers("w1", "w2", "w3", slots=2)
    cluster.take(0.5)
    experiment = cluster.submit(TRIALS, f"faulty_evaluations:{evaluator}")
    master = cluster.masters["m1"]
    cluster.until(lambda: "worker w1 gets no work" in master.text(), "w1 is shut off")
    cluster.until(lambda: barred(cluster, "w1"), "people see it")
    assert "failures in a row: FileNotFoundError: no such folder: data" in barred(cluster, "w1")
    cluster.until(lambda: cluster.told(experiment) >= TRIALS // 4, "a quarter is done")
    broke = eaten(cluster, experiment)
    probes = master.text().count("worker w1 is tried")
    print(f"the broken worker ate {broke} attempts, {probes} of them probes, of {TRIALS} trials")
    assert broke <= 3 + 2 + 1 + probes  # to open, on the way meanwhile, queued there
    cluster.hold("w2", "w3")  # else they may be through before the broken one is tried
    away.unlink()
    cluster.until(lambda: "worker w1 works again" in master.text(), "w1 is back")
    cluster.release("w2", "w3")
    cluster.until_over(experiment)
    check_whole(cluster, experiment, [])
    assert {each.worker for each in cluster.evaluations()} == {"w1", "w2", "w3"}
    cluster.until(lambda: not barred(cluster, "w1"), "people see that it is back")


def test_death_of_a_worker_with_eight_attempts_blames_none_of_them(cluster: Cluster) -> None:
    cluster.start_workers("w1", slots=8)
    cluster.hold("w1")
    experiment = cluster.submit(8)
    cluster.until_held(8)
    cluster.workers["w1"].kill()
    cluster.start_workers("w2", slots=8)
    cluster.until_over(experiment)
    check_whole(cluster, experiment, [])
    check_evaluations(cluster, Counter(list(range(8)) * 2))
    ends = cluster.store.attempts(experiment.id)
    lost = [end.failure for end in ends if end.failure is not None]
    assert [(each["kind"], each["alone"]) for each in lost] == [("lost_worker", False)] * 8


def test_evaluator_that_fails_everywhere_ends_the_search_early_with_its_traceback(
    cluster: Cluster,
) -> None:
    (cluster.folder / "away").touch()
    cluster.start_workers("w1", "w2", slots=2)
    experiment = cluster.submit(500, "faulty_evaluations:evaluate")
    cluster.until(lambda: experiment.record.state == "failed", "it is given up")
    assert "trials all failed: FileNotFoundError: no such folder: data" in experiment.record.reason
    print(f"given up after {len(cluster.evaluations())} evaluations of 500 trials")
    assert len(cluster.evaluations()) <= 20
    command = [sys.executable, "-m", "morphml.cli", "show", cluster.storage]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 'raise FileNotFoundError("no such folder: data")' in shown.stdout, shown.stdout
    # Both workers are as good as before.
    (cluster.folder / "away").unlink()
    other = cluster.submit(8, "faulty_evaluations:evaluate", seed=8)
    cluster.until_over(other)
    check_whole(cluster, other, [])


def test_search_whose_data_go_away_is_paused_and_goes_on_once_they_are_back(
    cluster: Cluster,
) -> None:
    cluster.start_workers("w1", "w2", slots=2)
    cluster.take(0.05)
    experiment = cluster.submit(300, "faulty_evaluations:evaluate")
    cluster.until(lambda: cluster.told(experiment) >= 40, "it works for a while")
    (cluster.folder / "away").touch()
    cluster.until(lambda: experiment.record.state == "paused", "it is paused")
    reason = experiment.record.reason
    assert "all failed alike" in reason
    assert "FileNotFoundError: no such folder: data; mend it, then resume" in reason
    failed = len(experiment.result().failures)
    print(f"paused after {failed} failed trials: {reason}")
    assert 10 <= failed <= 20
    (cluster.folder / "away").unlink()
    experiment.submit()
    cluster.until_over(experiment)
    result = experiment.result()
    assert result.counts == {"completed": 300 - failed, "failed": failed}


def test_poisonous_trial_ends_after_two_deaths_and_its_workers_work_on(cluster: Cluster) -> None:
    (cluster.folder / "poison-5").touch()
    cluster.start_workers("w1", "w2", slots=1)
    cluster.take(0.05)
    experiment = cluster.submit(30, "faulty_evaluations:evaluate")
    cluster.until_over(experiment)
    assert experiment.result().counts == {"completed": 29, "failed": 1}
    check_evaluations(cluster, Counter([*range(30), 5]))
    deaths = [each.worker for each in cluster.evaluations() if each.number == 5]
    assert sorted(deaths) == ["w1", "w2"]
    assert "gets no work" not in cluster.masters["m1"].text()
