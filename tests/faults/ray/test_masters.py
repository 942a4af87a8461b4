"""Masters with workers on a Ray cluster: one dies or leaves, another goes on with what runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.cluster.cluster import CODE, Cluster, check_evaluations, check_whole
from tests.faults.ray.clusters import LONG_S, RayCluster, ray_cluster

TRIALS = 12
pytestmark = [pytest.mark.timeout(600), pytest.mark.soak]


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RayCluster]:
    """Two nodes of two slots; what runs there counts in the test's folder."""
    monkeypatch.setenv("COUNTED_FOLDER", str(tmp_path))
    monkeypatch.setenv("COUNTED_WORKER", "ray")
    with ray_cluster() as made:
        for name, value in made.env.items():
            if name.startswith("RAY_"):
                monkeypatch.setenv(name, value)
        for _ in range(2):
            made.add(2)
        yield made


@pytest.fixture
def masters(
    nodes: RayCluster, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """Two masters on one database, each with leave to take what is free on the nodes."""
    monkeypatch.syspath_prepend(CODE)
    made = Cluster(tmp_path, postgres_url)
    for name in ("m1", "m2"):
        command = [*made.master_command(name, "127.0.0.1:0"), "--ray", nodes.address]
        made.start_master(name, command)
    made.until(lambda: len(made.present()) == 2, "both nodes have a worker", LONG_S)
    yield made
    made.close()


@pytest.mark.parametrize("how", ["killed", "asked to leave"])
def test_other_master_adopts_what_runs_on_the_nodes_when_one_goes(
    how: str, masters: Cluster
) -> None:
    masters.hold("ray")
    experiment = masters.submit(TRIALS)
    masters.until(lambda: len(masters.evaluations()) == 4, "all slots are busy", LONG_S)
    masters.until_held(4)
    (holder,) = {row.master for row in masters.store.cluster.workers.all() if row.live}
    name = next(r.name for r in masters.store.cluster.masters() if r.session == holder)
    before = masters.log(experiment)
    time.sleep(3.0)  # its workers are told of the other within a beat or two
    victim = masters.masters[name]
    if how == "killed":
        victim.kill()
    else:
        victim.terminate()
        assert victim.wait() == 0
    masters.until(lambda: len(masters.present()) == 2, "the other has the workers", LONG_S)
    masters.release("ray")
    masters.until_over(experiment, LONG_S)
    check_whole(masters, experiment, before)
    check_evaluations(masters, Counter(range(TRIALS)))
