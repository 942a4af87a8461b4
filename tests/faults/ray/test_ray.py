"""Searches and attempts on a real Ray cluster of several nodes, hurt and counted."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.ray.clusters import LONG_S, RayCluster, ray_cluster
from tests.faults.ray.conftest import CODE
from tests.faults.ray.hunting import SPACE, Hunt, eventually, is_alive

import morphml as mm
from morphml.cli.staffing import ray_staff
from morphml.clock import SystemClock
from morphml.engines.port import Cancelled, Failed, Finished, Reported, Stopped, Succeeded
from morphml.engines.ray.engine import RayEngine
from morphml.engines.ray.settings import RaySettings
from morphml.engines.remote.access import server_access
from morphml.engines.remote.hub import HubSettings
from morphml.errors import RequirementsError
from morphml.evaluation.orders import Order
from morphml.master.cluster.master import Master
from morphml.master.cluster.settings import MasterSettings
from morphml.scheduling.failures import FailureKind
from morphml.testing import engine_evaluators as given
from morphml.testing.engine_contract import EngineContract
from morphml.testing.engine_probe import EngineProbe

pytestmark = pytest.mark.timeout(600)
#: Seconds between two beats of workers, of which what is to come at once waits for none.
BEAT_S = 8.0


@contextmanager
def probing(cluster: RayCluster) -> Iterator[EngineProbe]:
    settings = RaySettings(address=cluster.address, slots=2)
    hub = HubSettings.of_beat(BEAT_S, listen="", ahead=0.1)
    with RayEngine(settings, mm.__version__, hub=hub) as engine:
        probe = EngineProbe(engine)
        probe.pump(lambda: engine.slots >= 2, LONG_S)
        yield probe


def test_search_finds_on_ray_what_it_finds_on_this_machine(cluster: RayCluster) -> None:
    def loss(arch: mm.Architecture, trial: mm.Trial) -> dict[str, float]:
        return {"loss": arch.decisions["x"] ** 2 + arch.decisions["k"]}  # type: ignore[operator]

    def found(engine: str) -> list[tuple[object, ...]]:
        result = mm.search(
            SPACE,
            loss,
            objectives={"loss": "min"},
            optimizer="random",
            trials=20,
            workers=2,
            seed=3,
            engine=engine,
        )
        return [(each.number, each.state, each.metrics) for each in result.records]

    on_ray = found(f"ray:{cluster.address}")
    assert len(on_ray) == 20
    assert on_ray == found("local")


def test_trials_that_no_node_could_run_are_refused_with_what_is_missing(
    cluster: RayCluster, tmp_path: Path
) -> None:
    called = tmp_path / "called"
    for resources, message in (
        ({"gpu": 0.5}, r"no node of the Ray cluster .*gpu.*, which no node has"),
        ({"cpu": 3}, r"cpu 3, and the most that any node has is 2"),
        ({"ssd": 1, "tape": 1}, r"tape, which no node has"),
    ):
        with pytest.raises(RequirementsError, match=message):
            mm.search(
                SPACE,
                lambda arch, trial: called.touch(),
                objectives={"loss": "min"},
                trials=2,
                resources=resources,
                engine=f"ray:{cluster.address}",
            )
    assert not called.exists()


def test_attempts_report_stop_and_end_on_a_node_as_on_this_machine(
    cluster: RayCluster, tmp_path: Path
) -> None:
    import ray_evaluations as theirs  # type: ignore[import-not-found]  # on the path by the fixture

    tally = tmp_path / "tally"
    with probing(cluster) as probe:
        (worker,) = probe.engine.workers()  # type: ignore[attr-defined]  # a Ray engine's
        assert worker.slots == worker.capabilities["cpu"] == 2
        assert worker.capabilities["ssd"] == 1

        probe.prepare(given.report_thrice, scratch=tmp_path)
        tokens = [probe.submit(x) for x in range(10)]
        probe.finish(LONG_S)
        ends = [probe.finished(token).outcome for token in tokens]
        assert ends == [Succeeded(metrics={"score": 0.3, "extra": 1.0})] * 10
        for token in tokens:
            steps = [each.step for each in probe.about(token) if isinstance(each, Reported)]
            assert steps == [1, 2, 3]
            assert "three reports" in probe.output(token, "log")

        probe.prepare(given.fail, scratch=tmp_path)
        failed = probe.run(4.5, timeout_s=LONG_S)
        assert isinstance(failed, Failed)
        assert (failed.kind, failed.error_type) == (FailureKind.USER_ERROR, "ValueError")

        probe.prepare(theirs.Reporting(str(tally)), "loss", scratch=tmp_path)
        assert max(stop_latencies(probe, tally)) < BEAT_S / 2, "they wait for nothing"

        probe.prepare(theirs.out_of_time, scratch=tmp_path)
        hanging = probe.submit(memory_limit_bytes=1 << 40)
        late = probe.submit(time_limit_s=1.0)
        probe.pump(lambda: len(ended(probe)) == 17, LONG_S)
        outcome = probe.finished(late).outcome
        assert isinstance(outcome, Failed)
        assert outcome.kind is FailureKind.TIME_LIMIT
        probe.engine.order(hanging, Order.CANCEL)
        probe.finish(LONG_S)
        assert probe.finished(hanging).outcome == Cancelled()
        assert probe.output(hanging, "stdout") == "this is captured\n"

        probe.prepare(theirs.out_of_memory, scratch=tmp_path)
        outcome = probe.run(memory_limit_bytes=400 << 20, timeout_s=LONG_S)
        assert isinstance(outcome, Failed)
        assert outcome.kind is FailureKind.OUT_OF_MEMORY


def ended(probe: EngineProbe) -> list[Finished]:
    return probe.of(Finished)


def stop_latencies(probe: EngineProbe, tally: Path) -> list[float]:
    """Seconds from an order to stop until the trial hears it; of five attempts."""
    found = []
    for _ in range(5):
        token = probe.submit()
        probe.pump(lambda: sum(isinstance(e, Reported) for e in probe.about(token)) > 5, LONG_S)  # noqa: B023
        sent = time.time()
        probe.engine.order(token, Order.STOP)
        probe.finish(LONG_S)
        assert isinstance(probe.finished(token).outcome, Stopped)
        found.append(float(tally.read_text().splitlines()[-1].split()[-1]) - sent)
    return found


def test_search_outlives_its_worker_its_provider_and_a_node(
    cluster: RayCluster, hunting: Callable[[int], Hunt]
) -> None:
    hunt = hunting(12)
    first = cluster.started[1]
    hunt.await_evaluations(2)

    (host,) = first.hosts()
    host.kill()
    hunt.await_evaluations(2 + 2)

    node = cluster.add(2)
    hunt.await_evaluations(4 + 2)
    assert hunt.engine.slots == 4

    provider = hunt.engine.provider
    os.kill(provider, signal.SIGKILL)
    eventually(lambda: hunt.engine.provider != provider and len(hunt.engine.nodes) == 3)

    orphans = node.hosts()
    assert orphans
    node.raylet().kill()
    eventually(lambda: not any(is_alive(each) for each in orphans))
    eventually(lambda: hunt.engine.slots == 2)
    hunt.check(evaluations=12 + 2 + 2)  # the next provider took all workers over


@pytest.mark.soak
def test_master_works_with_the_nodes_and_shows_what_it_lacks(
    cluster: RayCluster, tmp_path: Path
) -> None:
    store, tokens = str(tmp_path / "s.db"), tmp_path / "tokens.json"
    access = server_access("127.0.0.1:0", token_file=tokens, tls=None, clock=SystemClock())
    settings = MasterSettings(storage=store, listen="127.0.0.1:0", report_every_s=0.2)
    with Master(settings, access) as master, ray_staff(cluster.address, None, tokens)(master):
        eventually(lambda: master.hub.slots() == 2)
        result = mm.search(
            SPACE,
            "ray_evaluations:loss",
            objectives={"loss": "min"},
            resources={"ssd": 1},
            trials=6,
            storage=store,
            engine="remote",
        )
        rows = master.store.cluster.workers.all()
    assert [each.state.value for each in result.records] == ["completed"] * 6
    (row,) = rows
    assert row.name.startswith("ray-")
    assert (row.offers["cpu"], row.offers["ssd"]) == (2, 1)
    assert {each.worker.partition("/")[0] for each in result.attempts} == {row.name}


@pytest.mark.soak
def test_search_waits_for_a_cluster_whose_head_has_died(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(CODE)
    with ray_cluster(cpus=2) as alone:
        for name, value in alone.env.items():
            if name.startswith("RAY_"):
                monkeypatch.setenv(name, value)
        with RayEngine(RaySettings(address=alone.address), mm.__version__) as engine:
            hunt = Hunt(engine, tmp_path, 4)
            eventually(lambda: engine.slots == 2)
            hunt.thread.start()
            hunt.await_evaluations(2)
            assert alone.head is not None
            alone.head.end()
            eventually(lambda: engine.slots == 0)
            alone.start(cpus=2)
            hunt.await_evaluations(2 + 2)
            hunt.check(evaluations=4 + 2)


@pytest.mark.soak
class TestRayEngine(EngineContract):
    """The same contract as for every engine."""

    @pytest.fixture(autouse=True)
    def _there(self, cluster: RayCluster) -> None:
        self.cluster = cluster

    def make(self, slots: int) -> RayEngine:
        settings = RaySettings(address=self.cluster.address, slots=min(slots, 2))
        engine = RayEngine(settings, mm.__version__)
        eventually(lambda: engine.slots)
        return engine
