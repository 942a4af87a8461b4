"""One master's way to the database swallows all packets: it stops acting, and comes back."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from tests.faults.cluster.cluster import Cluster, check_whole
from tests.faults.cluster.proxy import Line, Proxy

TRIALS = 60
#: Seconds: a lease, a look of the reaper, and much that a busy machine adds.
TAKEN_OVER_S = 60.0
#: Seconds: the longest that a statement may take, a connection, and a new session.
BACK_S = 120.0


@pytest.mark.slow  # beside one whose connection is cut, and one whose database stands still
def test_master_that_its_database_does_not_answer_is_replaced_and_comes_back(
    cluster: Cluster,
) -> None:
    with Proxy(cluster.database) as line:
        cluster.start_master_through("m1", line.address)
        cluster.start_workers("w1", slots=2)
        cluster.take(1.0)
        cluster.hold("w1", "w2")  # else the search may be over before the fault
        experiment = cluster.submit(TRIALS)
        assert cluster.driving(experiment).name == "m1"
        cluster.start_masters("m2")
        cluster.start_workers("w2", slots=2, at=[cluster.addresses["m2"]])
        cluster.release("w1", "w2")
        cluster.until(lambda: cluster.told(experiment) >= 4, "it is under way")
        before = cluster.log(experiment)
        line.become(Line.SILENT)
        silent_at = time.monotonic()
        cluster.until(lambda: _drives(cluster, experiment.id) == "m2", "the other drives")
        taken_over_s = time.monotonic() - silent_at
        cluster.take(0.2)
        cluster.until_over(experiment)
        line.become(Line.WHOLE)
        back_s = cluster.until(lambda: {"w1", "w2"} <= cluster.present(), "it is back", BACK_S)
    print(f"taken over after {taken_over_s:.1f} s; back {back_s:.1f} s after the line")
    assert taken_over_s <= TAKEN_OVER_S
    check_whole(cluster, experiment, before)
    # Only what lay at its worker when it fell silent may have run a second time.
    extra = cluster.evaluated() - Counter(range(TRIALS))
    assert sum(extra.values()) <= 4, cluster.report()
    assert "a new life begins" in cluster.masters["m1"].text()


def _drives(cluster: Cluster, experiment: str) -> str:
    rows = cluster.store.cluster.masters()
    return next((row.name for row in rows if experiment in row.experiments), "")
