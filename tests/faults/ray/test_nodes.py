"""Nodes that are drained, have GPUs, or are missing."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.ray.clusters import LONG_S, RayCluster, ray_cluster
from tests.faults.ray.hunting import SPACE, Hunt, eventually

import morphml as mm
from morphml.engines.ray.engine import RayEngine
from morphml.engines.ray.planning import SlotShape
from morphml.engines.ray.settings import RaySettings

pytestmark = [pytest.mark.timeout(600), pytest.mark.soak]


def test_drained_node_ends_what_it_runs_and_nothing_runs_again(
    cluster: RayCluster, hunting: Callable[[int], Hunt]
) -> None:
    hunt = hunting(8)
    hunt.await_evaluations(2)
    before = {each.id for each in hunt.engine.nodes}
    node = cluster.add(2)
    hunt.await_evaluations(4)
    (leaving,) = {each.id for each in hunt.engine.nodes} - before
    cluster.drain(leaving, within_s=120)
    eventually(lambda: hunt.engine.slots == 2)  # it takes nothing more, and what runs goes on
    assert node.hosts()
    hunt.check(evaluations=8)


def test_declared_gpus_are_shared_by_halves_and_never_by_three(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tally = tmp_path / "tally"

    def seen(arch: mm.Architecture, trial: mm.Trial) -> float:
        name = os.environ["CUDA_VISIBLE_DEVICES"]
        with tally.open("a") as file:
            file.write(f"{name} 1\n")
        time.sleep(0.5)
        with tally.open("a") as file:
            file.write(f"{name} -1\n")
        return 0.0

    with ray_cluster() as alone:
        for name, value in alone.env.items():
            if name.startswith("RAY_"):
                monkeypatch.setenv(name, value)
        alone.add(8, gpus=2)
        result = mm.search(
            SPACE,
            seen,
            objectives={"loss": "min"},
            optimizer="random",
            trials=12,
            resources={"gpu": 0.5},
            engine=f"ray:{alone.address}",
        )
    assert [each.state.value for each in result.records] == ["completed"] * 12
    used: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for line in tally.read_text().splitlines():
        device, step = line.split()
        used[device] += int(step)
        most[device] = max(most[device], used[device])
    assert most == {"0": 2, "1": 2}


def test_slots_that_no_node_has_are_shown_to_whoever_scales_the_cluster(
    cluster: RayCluster,
) -> None:
    settings = RaySettings(address=cluster.address, slots=5, shape=SlotShape(cpu=2.0))
    with RayEngine(settings, mm.__version__) as engine:
        eventually(lambda: engine.slots == 1)
        shown = eventually(lambda: "{'CPU': 2.0}: 4+ pending" in cluster.status())
    assert shown < LONG_S
    eventually(lambda: "'CPU': 2.0" not in cluster.status())
