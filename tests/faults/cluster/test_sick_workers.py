"""A worker whose disk is full is drained, says so, and comes back by itself when there is room."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.cluster.cluster import Cluster, check_whole
from tests.faults.cluster.conftest import Make

MASTER = Path(__file__).with_name("patient_master.py")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def cluster(make_cluster: Make, tmp_path: Path, small_disk: Path) -> Cluster:
    """A cluster whose worker w1 has its files on a small disk."""
    cluster = make_cluster(str(tmp_path / "store.db"))
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "w1").symlink_to(small_disk)
    artifacts, tokens = str(tmp_path / "artifacts"), str(cluster.tokens)
    command = [sys.executable, str(MASTER), cluster.storage, "127.0.0.1:0", "m1"]
    cluster.start_master("m1", [*command, artifacts, tokens])
    return cluster


def test_worker_with_a_full_disk_gets_nothing_until_there_is_room_again(
    cluster: Cluster, small_disk: Path
) -> None:
    master = cluster.masters["m1"]
    cluster.start_workers("w1", "w2", slots=2)
    cluster.take(0.1)
    search_on_both(cluster, 8, seed=7)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(56 << 20))
    cluster.until(lambda: "worker w1 is drained: its disk is full" in master.text(), "it is seen")
    cluster.until(lambda: "drained" in status(cluster), "people see it")
    assert "its disk is full" in status(cluster)
    before = len(cluster.evaluations())
    second = cluster.submit(30, seed=8)
    cluster.until_over(second)
    check_whole(cluster, second, [])
    assert {each.worker for each in cluster.evaluations()[before:]} == {"w2"}
    filler.unlink()
    cluster.until(lambda: "worker w1 is well again" in master.text(), "it is back")
    search_on_both(cluster, 12, seed=9)


def search_on_both(cluster: Cluster, trials: int, seed: int) -> None:
    """A search that is over once both workers had some of it."""
    cluster.hold("w1", "w2")
    before = len(cluster.evaluations())
    experiment = cluster.submit(trials, seed=seed)
    both = {"w1", "w2"}
    cluster.until(lambda: {e.worker for e in cluster.evaluations()[before:]} == both, "both have")
    cluster.release("w1", "w2")
    cluster.until_over(experiment)


def status(cluster: Cluster) -> str:
    """What ``morphml status`` shows."""
    command = [sys.executable, "-m", "morphml.cli", "status", "--json", cluster.storage]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout
