"""A master dies, stands still, or leaves: another drives on, and what runs is adopted."""

from __future__ import annotations

import signal
import time
from collections import Counter

import pytest
from tests.faults.cluster.cluster import Cluster, check_evaluations, check_whole

from morphml.master import Experiment
from morphml.search.log import EntryKind

TRIALS = 24


def start_two_of_each(cluster: Cluster) -> Experiment:
    """A search of one-second trials, some of which have ended and some of which run."""
    cluster.start_masters("m1", "m2")
    there = list(cluster.addresses.values())
    cluster.start_workers("w1", slots=2, at=there, wait=False)
    cluster.start_workers("w2", slots=2, at=there[::-1], wait=False)
    cluster.until(lambda: {"w1", "w2"} <= cluster.present(), "both workers are there")
    cluster.take(1.0)
    experiment = cluster.submit(TRIALS, optimizer="evolution")
    cluster.until(lambda: cluster.told(experiment) >= 4, "some trials have ended")
    both = {"w1", "w2"}
    cluster.until(lambda: {e.worker for e in cluster.evaluations()} == both, "both have some")
    return experiment


def until_driven_on(cluster: Cluster, experiment: Experiment, since: float) -> float:
    """Wait until something new is stored; the seconds from ``since``."""
    stored = len(cluster.log(experiment))
    cluster.until(lambda: len(cluster.log(experiment)) > stored, "it is driven on")
    return time.time() - since


@pytest.mark.parametrize("victim", ["driver", pytest.param("other", marks=pytest.mark.slow)])
def test_other_master_goes_on_and_adopts_what_runs_when_one_is_killed(
    victim: str, cluster: Cluster
) -> None:
    experiment = start_two_of_each(cluster)
    driving = cluster.driving(experiment)
    other = next(each for each in cluster.masters.values() if each is not driving)
    before = cluster.log(experiment)
    killed = (driving if victim == "driver" else other).kill()
    took = until_driven_on(cluster, experiment, killed)
    print(f"goes on {took:.2f} s after kill -9 of the {victim}")
    assert took <= 26.0  # twice the time after which a lease is seen to have run out
    cluster.until_over(experiment)
    if victim == "driver":
        assert f"experiment {experiment.id}" in other.text()
    check_whole(cluster, experiment, before)
    check_evaluations(cluster, Counter(range(TRIALS)))


def test_driver_that_stood_still_beyond_its_lease_commits_nothing_and_comes_back_anew(
    cluster: Cluster,
) -> None:
    experiment = start_two_of_each(cluster)
    first = cluster.driver(experiment)
    assert first is not None
    stopped = cluster.masters[first.name]
    before = cluster.log(experiment)
    since = stopped.send(signal.SIGSTOP)
    took = until_driven_on(cluster, experiment, since)
    print(f"driven on {took:.2f} s after SIGSTOP of its driver")
    assert took <= 26.0  # twice the time after which a lease is seen to have run out
    left = 12.0 - (time.time() - since)
    time.sleep(max(0.0, left))
    stopped.send(signal.SIGCONT)
    woken = time.time()

    def anew() -> bool:
        rows = cluster.store.cluster.masters()
        return any(r.name == first.name and r.session != first.session for r in rows)

    cluster.until(anew, "it has a new session")
    assert "a new life begins" in stopped.text()
    print(f"a new session {time.time() - woken:.2f} s after SIGCONT")
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    check_evaluations(cluster, Counter(range(TRIALS)))


def test_driver_that_is_asked_to_leave_hands_over_at_once_and_nothing_runs_again(
    cluster: Cluster,
) -> None:
    experiment = start_two_of_each(cluster)
    driving = cluster.driving(experiment)
    before = cluster.log(experiment)
    asked = driving.terminate()
    cluster.until(lambda: (row := cluster.driver(experiment)) and row.name != driving.name, "taken")
    print(f"taken over {time.time() - asked:.2f} s after SIGTERM of the driver")
    assert time.time() - asked <= 8.0
    assert driving.wait() == 0
    print(f"it has left {time.time() - asked:.2f} s after SIGTERM")
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    check_evaluations(cluster, Counter(range(TRIALS)))


def test_workers_come_back_by_themselves_when_all_masters_die_and_one_is_started(
    cluster: Cluster,
) -> None:
    experiment = start_two_of_each(cluster)
    for master in cluster.masters.values():
        master.kill()
    before = cluster.log(experiment)
    time.sleep(3.0)  # what ran has ended, and nobody was there to be told
    assert len(cluster.log(experiment)) <= len(before) + 8  # a commit that was on its way
    started = time.time()
    cluster.start_masters("m1")
    cluster.until(lambda: {"w1", "w2"} <= cluster.present(), "both workers are back")
    print(f"workers are back {time.time() - started:.2f} s after the start of a master")
    took = until_driven_on(cluster, experiment, started)
    print(f"driven on {took:.2f} s after the start of a master")
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    check_evaluations(cluster, Counter(range(TRIALS)))


def test_worker_that_brings_what_it_runs_takes_no_slot_of_a_worker_elsewhere(
    cluster: Cluster,
) -> None:
    cluster.start_masters("m1", "m2")
    m1, m2 = cluster.addresses["m1"], cluster.addresses["m2"]
    cluster.hold("w1", "w2", "w3")
    cluster.start_workers("w1", slots=1, at=[m1])
    experiment = cluster.submit(TRIALS)
    cluster.until_held(1)
    cluster.start_workers("w2", slots=1, at=[m2, m1])
    cluster.until_held(2)
    cluster.masters["m2"].kill()
    cluster.until(lambda: "w2" in cluster.present(), "w2 is at m1, with what it runs")
    time.sleep(3.0)  # m1 learns whose that is, and fills the slots that it believes to be free
    cluster.start_masters("m3")
    cluster.start_workers("w3", slots=1, at=[cluster.addresses["m3"]])
    cluster.until_held(3)
    before = cluster.log(experiment)
    asked = [entry.number for entry in before if entry.kind is EntryKind.ASKED]
    assert asked == [0, 1, 2], "one for each slot"
    cluster.release("w1", "w2", "w3")
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    check_evaluations(cluster, Counter(range(TRIALS)))
