"""PostgreSQL dies under load and is away for 20 s: what runs, runs on, and nothing runs again."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest
from tests.faults.cluster.cluster import check_evaluations, check_whole
from tests.faults.cluster.conftest import Make

from morphml.testing.postgres import PrivateServer, private_server

TRIALS = 60
AWAY_S = 20.0


@pytest.fixture(scope="module")
def own_server() -> Iterator[PrivateServer]:
    """A server to be killed; it flushes what it commits."""
    with private_server(fsync=True) as server:
        yield server


def stand_still(server: PrivateServer, number: signal.Signals) -> None:
    """Send all processes of the server a signal; its connections stay."""
    main = psutil.Process(server.pid)
    for process in (main, *main.children()):
        process.send_signal(number)


def test_nothing_that_runs_is_run_again_when_the_database_was_away(
    make_cluster: Make, own_server: PrivateServer
) -> None:
    cluster = make_cluster(own_server.new_database())
    cluster.start_masters("m1", "m2")
    there = list(cluster.addresses.values())
    cluster.start_workers("w1", slots=2, at=there, wait=False)
    cluster.start_workers("w2", slots=2, at=there[::-1], wait=False)
    cluster.until(lambda: {"w1", "w2"} <= cluster.present(), "both workers are there")
    cluster.take(0.3)
    experiment = cluster.submit(TRIALS, optimizer="evolution")
    cluster.until(lambda: cluster.told(experiment) >= 12, "it is under way")
    cluster.hold("w2")  # two trials run all the time, the others end meanwhile
    cluster.until(lambda: cluster.told(experiment) >= 20, "it is well under way")
    before = cluster.log(experiment)
    own_server.kill()
    time.sleep(AWAY_S)
    ran = len(cluster.evaluations())
    own_server.start()
    back = time.time()
    cluster.until(lambda: len(cluster.log(experiment)) > len(before) + 8, "it goes on")
    print(f"goes on {time.time() - back:.2f} s after the database is back")
    assert time.time() - back <= 30.0
    time.sleep(12.0)  # longer than any lease: who is judged by its silence is judged now
    cluster.release("w2")
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    check_evaluations(cluster, Counter(range(TRIALS)))
    assert ran <= TRIALS
    for master in cluster.masters.values():
        assert "by silence" not in master.text(), master.text()


def test_workers_stay_while_the_database_stands_still_and_another_one_comes(
    make_cluster: Make, own_server: PrivateServer
) -> None:
    cluster = make_cluster(own_server.new_database())
    cluster.start_masters("m1")
    cluster.start_workers("w1", slots=2)
    cluster.take(0.3)
    experiment = cluster.submit(20)
    cluster.until(lambda: cluster.told(experiment) >= 4, "it is under way")
    before = cluster.log(experiment)
    stand_still(own_server, signal.SIGSTOP)
    (other,) = cluster.start_workers("w2", slots=2, wait=False)
    cluster.until(lambda: "2 slots" in other.text(), "it dials")
    time.sleep(7.0)
    stand_still(own_server, signal.SIGCONT)
    cluster.until(lambda: cluster.present() == {"w1", "w2"}, "both are there")
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    check_evaluations(cluster, Counter(range(20)))
    assert cluster.workers["w1"].text().count("connected to the master") == 1
