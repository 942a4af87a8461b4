from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.cluster.cluster import CODE, Cluster

Make = Callable[[str], Cluster]


@pytest.fixture
def make_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes clusters in the test's folder, all gone at its end."""
    monkeypatch.syspath_prepend(CODE)
    made: list[Cluster] = []

    def make(storage: str) -> Cluster:
        cluster = Cluster(tmp_path, storage)
        made.append(cluster)
        return cluster

    yield make
    for cluster in made:
        cluster.close()
    sys.modules.pop("counted_evaluations", None)


@pytest.fixture
def cluster(make_cluster: Make, postgres_url: str) -> Cluster:
    """A cluster on a PostgreSQL database of the test's own, with nobody in it."""
    return make_cluster(postgres_url)
