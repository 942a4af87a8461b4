"""Masters that die at exact points of an attempt's way; TRUTH 8 is counted after each."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.faults.cluster.cluster import SPACE, Cluster, Member, check_evaluations, check_whole
from tests.faults.cluster.conftest import Make

import morphml as mm
from morphml.master import Experiment
from morphml.search.log import LogEntry

TRIALS = 14
#: One life after the other, each ended at another point.
DEATHS = [
    ("after commit of lease", 1),  # leased, and handed to no worker
    ("after claim", 1),
    ("before commit of result", 2),
    ("after adopt", 1),  # of that result, which its worker still has
    ("after commit of result", 2),  # stored, and neither told to anybody nor acknowledged
    ("after commit of end", 1),
]
#: The same for a master that lends its workers to one that drives.
DEATHS_BESIDE = [
    ("after claim for others", 2),  # leased, and handed to no worker
    ("before post", 3),
    ("after post", 3),  # the driver has the news, the worker does not know it
]
OPTIONS = {"optimizer": "evolution", "optimizer_settings": {"population_size": 6, "sample_size": 3}}


def start_dying(
    cluster: Cluster,
    name: str,
    point: str,
    count: int,
    end: str = "SIGKILL",
    lease_s: float = 5.0,
) -> Member:
    """Start a master that will die at a point, on the port that it had before.

    With ``SIGSTOP`` it stands still there, and goes on from there.
    """
    at = cluster.addresses.get(name, "127.0.0.1:0")
    script = str(Path(__file__).with_name("dying_master.py"))
    places = [str(cluster.folder / "artifacts"), str(cluster.tokens)]
    words = [cluster.storage, at, name, *places, point, str(count), end, str(lease_s)]
    return cluster.start_master(name, [sys.executable, script, *words])


def essence(experiment: Experiment) -> list[tuple[object, ...]]:
    """What no death may change: number, point, epochs, metrics, outcome."""
    return [
        (t.number, t.point_id, t.epochs, dict(t.metrics), t.state)
        for t in experiment.store.trials(experiment.id)
    ]


def same_search_here(folder: Path) -> list[tuple[object, ...]]:
    """The essence of the same search, by the local engine with one worker and no fault."""
    with Experiment.create(
        SPACE, distance, storage=folder / "local.db", objectives={"loss": "min"}, trials=TRIALS,
        seed=7, **OPTIONS,
    ) as experiment:  # fmt: skip
        experiment.run(0)
        return essence(experiment)


def distance(arch: mm.Architecture, trial: object) -> float:
    return float((arch.decisions["a"] - 7) ** 2 + (arch.decisions["b"] - 21) ** 2)


def test_death_at_each_point_changes_nothing_of_the_history(
    make_cluster: Make, tmp_path: Path
) -> None:
    cluster = make_cluster(str(tmp_path / "store.db"))
    cluster.take(0.25)
    experiment = cluster.submit(TRIALS, **OPTIONS)
    before: list[LogEntry] = []
    for point, count in DEATHS:
        master = start_dying(cluster, "m1", point, count)
        if not cluster.workers:
            cluster.start_workers("w1", slots=1, wait=False)
        cluster.until(lambda m=master: not m.running, f"it dies {point}")
        assert master.wait() == -signal.SIGKILL
        after = cluster.log(experiment)
        print(f"{point}: {len(after)} entries, {len(cluster.evaluations())} evaluations")
        assert after[: len(before)] == before
        before = after
    check_whole(cluster, experiment, before)
    assert essence(experiment) == same_search_here(tmp_path)
    check_evaluations(cluster, Counter(range(TRIALS)))


def test_driver_that_stood_still_before_a_commit_is_refused_when_it_goes_on_with_it(
    cluster: Cluster,
) -> None:
    """It wakes up between the decision and the transaction: only the store can stop it there."""
    cluster.take(0.25)
    stopped = start_dying(cluster, "m1", "before commit of result", 3, "SIGSTOP")
    cluster.start_workers("w1", slots=1)
    experiment = cluster.submit(TRIALS, **OPTIONS)
    assert cluster.driving(experiment) is stopped
    cluster.start_masters("m2")
    cluster.until(lambda: (row := cluster.driver(experiment)) and row.name == "m2", "m2 drives")
    before = cluster.log(experiment)
    stopped.send(signal.SIGCONT)
    stopped.said("the fence refused a commit")
    assert cluster.log(experiment)[: len(before)] == before
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    assert essence(experiment) == same_search_here(cluster.folder)
    # Its worker knew of nobody else: what that had then may have been handed out once more.
    again = cluster.evaluated() - Counter(range(TRIALS))
    assert again.total() <= 2, cluster.report()
    assert "Traceback" not in stopped.text(), stopped.text()


@pytest.mark.slow  # the driver's own deaths are tried at each point above
def test_death_of_a_master_beside_the_driver_loses_nothing_and_runs_nothing_again(
    cluster: Cluster,
) -> None:
    trials = 200  # more than there is time for before the last death
    cluster.take(1.0)
    cluster.start_masters("m1")
    cluster.start_workers("w1", slots=1)
    cluster.hold("w1")  # so that there is something to lend workers for
    experiment = cluster.submit(trials, **OPTIONS)
    cluster.until(lambda: cluster.driver(experiment), "it is driven")
    before: list[LogEntry] = []
    for point, count in DEATHS_BESIDE:
        # Time for its workers to find another master, and to bring what they run.
        master = start_dying(cluster, "m2", point, count, lease_s=20.0)
        worker = f"w-{count}-{len(before)}"
        cluster.start_workers(worker, slots=1, at=[cluster.addresses["m2"]], wait=False)
        cluster.until(lambda m=master: not m.running, f"it dies {point}")
        assert master.wait() == -signal.SIGKILL
        after = cluster.log(experiment)
        print(f"{point}: {len(after)} entries, {len(cluster.evaluations())} evaluations")
        assert after[: len(before)] == before
        before = after
    cluster.take(0.05)
    cluster.release("w1")
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    check_evaluations(cluster, Counter(range(trials)))
