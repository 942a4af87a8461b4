"""One cluster for all tests of a file: to start one costs more than to use it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.ray.clusters import RayCluster, ray_cluster

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
