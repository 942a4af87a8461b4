"""The network between workers and their master is cut, or silent in one or both directions."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.faults.cluster.cluster import Cluster, check_evaluations, check_whole
from tests.faults.cluster.proxy import Line, Proxy

from morphml.engines.remote.hub import HubSettings

FAULTS = (Line.SILENT, Line.DEAF, Line.MUTE, Line.CUT)
TRIALS = 24
FORGIVING = Path(__file__).with_name("forgiving_master.py")
#: Seconds without its worker after which an attempt is given up, when their connection broke.
LOST_AFTER_S = HubSettings(listen="").announce_within_s


@pytest.fixture
def proxies() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def start_behind_proxies(cluster: Cluster, proxies: ExitStack, target: str) -> dict[Line, Proxy]:
    """A worker of one slot for each fault, behind a proxy to a master."""
    lines = {fault: proxies.enter_context(Proxy(target)) for fault in FAULTS}
    for fault, proxy in lines.items():
        cluster.start_workers(f"w-{fault.value}", slots=1, at=[proxy.address], wait=False)
    names = {f"w-{fault.value}" for fault in FAULTS}
    cluster.until(lambda: names <= cluster.present(), "all workers are there")
    return lines


@pytest.mark.parametrize("lost", ["driver", pytest.param("other", marks=pytest.mark.slow)])
def test_workers_go_to_the_other_master_and_nothing_runs_again(
    lost: str, cluster: Cluster, proxies: ExitStack
) -> None:
    cluster.start_masters("m1", "m2")
    names = [f"w-{fault.value}" for fault in FAULTS]
    cluster.hold(*names)
    experiment = cluster.submit(TRIALS, optimizer="evolution")
    there = dict(cluster.addresses)
    driver = there.pop(cluster.driving(experiment).name)
    (other,) = there.values()
    left, found = (driver, other) if lost == "driver" else (other, driver)
    lines = start_behind_proxies(cluster, proxies, left)
    cluster.until_held(len(FAULTS))
    before = cluster.log(experiment)
    for fault, proxy in lines.items():
        proxy.become(fault)
    since = time.time()
    text = f"connected to the master at {found}"
    cluster.until(lambda: all(text in cluster.workers[n].text() for n in names), "all have moved")
    print(f"all workers are with the other master after {time.time() - since:.1f} s")
    time.sleep(max(0.0, 14.0 - (time.time() - since)))  # the first master has given them up
    cluster.release(*names)
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    check_evaluations(cluster, Counter(range(TRIALS)))


@pytest.mark.parametrize("seconds", [pytest.param(2.0, marks=pytest.mark.slow), 6.0])
def test_workers_come_back_to_their_master_when_the_network_does(
    seconds: float, cluster: Cluster, proxies: ExitStack
) -> None:
    """After a short cut nothing that ran then runs again; who is away for 3 s loses its attempt.

    A task that was on its way then may run twice, and counts once: who does not say in time that it
    has a task may have it. On a busy machine a cut is short only for a master that bears more.
    """
    if seconds < LOST_AFTER_S:
        places = [str(cluster.folder / "artifacts"), str(cluster.tokens)]
        words = [cluster.storage, "127.0.0.1:0", "m1", *places]
        cluster.start_master("m1", [sys.executable, str(FORGIVING), *words])
    else:
        cluster.start_masters("m1")
    lines = start_behind_proxies(cluster, proxies, cluster.addresses["m1"])
    names = [f"w-{fault.value}" for fault in FAULTS]
    cluster.hold(*names)
    experiment = cluster.submit(TRIALS, optimizer="evolution")
    cluster.until_held(len(FAULTS))
    before, ran = cluster.log(experiment), set(cluster.evaluated())
    for fault, proxy in lines.items():
        proxy.become(fault)
    cluster.release(*names)  # they end while nobody hears of it
    time.sleep(seconds)
    for proxy in lines.values():
        proxy.become(Line.WHOLE)
    since = time.time()
    cluster.until_over(experiment)
    print(f"over {time.time() - since:.1f} s after the network was back")
    check_whole(cluster, experiment, before)
    again = cluster.evaluated() - Counter(range(TRIALS))
    print(f"{again.total()} of {TRIALS} evaluations ran again after {seconds:g} s")
    assert again.total() <= len(FAULTS), cluster.report()
    if seconds < LOST_AFTER_S:
        assert not again.keys() & ran, cluster.report()
