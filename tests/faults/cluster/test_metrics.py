"""What a master tells Prometheus is what its searches did: real scrapes of a real master."""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.faults.cluster.cluster import Cluster
from tests.faults.cluster.conftest import Make

ROOT = Path(__file__).resolve().parents[3]
SERVED = re.compile(r"metrics at (\S+)")
Labels = tuple[tuple[str, str], ...]


class Scrape:
    """One answer, read by Prometheus's own parser."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values: dict[tuple[str, Labels], float] = {}
        self.kinds: dict[str, str] = {}
        for family in text_string_to_metric_families(text):
            self.kinds[family.name] = family.type
            for sample in family.samples:
                key = (sample.name, tuple(sorted(sample.labels.items())))
                assert key not in self.values, f"told twice: {key}"
                self.values[key] = sample.value

    def value(self, name: str, **labels: str) -> float:
        return self.values[name, tuple(sorted(labels.items()))]

    def of(self, name: str) -> Mapping[Labels, float]:
        return {labels: value for (each, labels), value in self.values.items() if each == name}


@pytest.fixture
def cluster(make_cluster: Make, tmp_path: Path) -> Cluster:
    cluster = make_cluster(str(tmp_path / "store.db"))
    command = [*cluster.master_command("m1", "127.0.0.1:0"), "--metrics-port", "0"]
    cluster.start_master("m1", command)
    cluster.until(lambda: SERVED.search(cluster.masters["m1"].text()), "metrics are served")
    return cluster


def address(cluster: Cluster) -> str:
    found = SERVED.search(cluster.masters["m1"].text())
    assert found
    return found[1]


def scrape(cluster: Cluster) -> Scrape:
    with urllib.request.urlopen(address(cluster), timeout=60) as answer:
        return Scrape(answer.read().decode())


def test_metrics_of_a_master_count_what_its_search_did(cluster: Cluster) -> None:
    (cluster.folder / "poison-5").touch()
    cluster.start_workers("w1", "w2", slots=2)
    cluster.take(0.05)
    before = scrape(cluster)
    assert before.value("morphml_tasks_completed_total") == 0
    assert before.value("morphml_tasks_failed_total", kind="crash") == 0
    assert before.value("morphml_workers_active") == 2
    assert before.value("morphml_slots", state="free") == 4
    assert before.value("morphml_task_queue_depth", priority="5") == 0
    cluster.hold("w1", "w2", since=16)  # else it may be over before anybody looks
    experiment = cluster.submit(40, "faulty_evaluations:evaluate", priority=7)
    cluster.until(lambda: cluster.told(experiment) >= 10, "it runs")
    cluster.until(lambda: scrape(cluster).value("morphml_slots", state="busy") == 4, "all is busy")
    cluster.until(lambda: scrape(cluster).of("morphml_best_fitness"), "its best is told")
    during = scrape(cluster)
    (best,) = during.of("morphml_best_fitness").items()
    assert dict(best[0])["objective"] == "loss"
    assert best[1] >= 0.0
    assert during.value("morphml_experiments_driven") == 1
    assert during.value("morphml_task_queue_depth", priority="7") <= 4  # asked ahead
    cluster.release("w1", "w2")
    cluster.until_over(experiment)
    cluster.until(lambda: not scrape(cluster).value("morphml_experiments_driven"), "it has ended")
    after = scrape(cluster)
    result = experiment.result()
    assert result.counts == {"completed": 39, "failed": 1}
    assert after.value("morphml_tasks_completed_total") == 39
    assert sum(after.of("morphml_tasks_failed_total").values()) == 1
    assert after.value("morphml_tasks_failed_total", kind="crash") == 1
    assert after.value("morphml_attempts_retried_total", kind="crash") == 1
    assert after.value("morphml_task_duration_seconds_count") == 39
    took = sum(end.duration_s for end in cluster.store.attempts(experiment.id) if not end.failure)
    assert after.value("morphml_task_duration_seconds_sum") == pytest.approx(took)
    assert after.value("morphml_scheduling_decisions_total") >= 41
    assert after.value("morphml_store_up") == 1
    for name in ("cpu_percent", "memory_percent"):
        values = after.of(f"morphml_worker_{name}")
        assert {dict(labels)["worker"] for labels in values} == {"w1", "w2"}
        assert all(0.0 <= value <= 100.0 for value in values.values())
    check_documented(after)
    check_with_promtool(after.text)


def check_documented(scraped: Scrape) -> None:
    """The page lists what is told, and nothing else."""
    told = set(re.findall(r"^# TYPE (morphml_\w+)", scraped.text, re.MULTILINE))
    page = (ROOT / "docs" / "distributed" / "monitoring.md").read_text()
    assert told == set(re.findall(r"^\| `(morphml_\w+)` \|", page, re.MULTILINE))


def check_with_promtool(text: str) -> None:
    """Prometheus's own linter, where it is installed."""
    promtool = shutil.which("promtool")
    if promtool is not None:
        subprocess.run([promtool, "check", "metrics"], input=text, text=True, check=True)


def test_metrics_answer_one_path_for_this_machine_only(cluster: Cluster) -> None:
    for path, host, status in (
        ("/metrics", "evil.example", 403),
        ("/", "localhost", 404),
        ("/metrics/x", "localhost", 404),
    ):
        request = urllib.request.Request(
            address(cluster).removesuffix("/metrics") + path, headers={"Host": host}
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        assert refused.value.code == status
        refused.value.close()
