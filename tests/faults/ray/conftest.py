"""One cluster for all tests of a file: to start one costs more than to use it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.ray.clusters import LONG_S, RayCluster, ray_cluster
from tests.faults.ray.hunting import Hunt, eventually

import morphml as mm
from morphml.engines.ray.engine import RayEngine
from morphml.engines.ray.settings import RaySettings
from morphml.master import Experiment

CODE = Path(__file__).with_name("code")


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """A head without slots and one node with two."""
    with pytest.MonkeyPatch.context() as patch, ray_cluster() as made:
        patch.syspath_prepend(CODE)
        for name, value in made.env.items():
            if name.startswith("RAY_"):
                patch.setenv(name, value)
        made.add(2, ssd=1.0)
        yield made
        sys.modules.pop("ray_evaluations", None)


@pytest.fixture
def hunting(cluster: RayCluster, tmp_path: Path) -> Iterator[Callable[[int], Hunt]]:
    made: list[Hunt] = []

    def start(trials: int) -> Hunt:
        engine = RayEngine(RaySettings(address=cluster.address), mm.__version__)
        hunt = Hunt(engine, tmp_path, trials)
        made.append(hunt)
        eventually(lambda: engine.slots)
        hunt.thread.start()
        return hunt

    yield start
    for hunt in made:
        if hunt.thread.is_alive():
            with Experiment.open(hunt.store) as left:
                left.stop()
        hunt.engine.close()
        hunt.thread.join(LONG_S)
