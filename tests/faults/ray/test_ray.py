"""Searches and attempts on a real Ray cluster of several nodes, hurt and counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.ray.clusters import LONG_S, RayCluster

import morphml as mm
from morphml.engines.port import Cancelled, Failed, Finished, Reported, Stopped, Succeeded
from morphml.engines.ray.engine import RayEngine
from morphml.engines.ray.settings import RaySettings
from morphml.evaluation.orders import Order
from morphml.scheduling.failures import FailureKind
from morphml.testing import engine_evaluators as given
from morphml.testing.engine_contract import EngineContract
from morphml.testing.engine_probe import EngineProbe

SPACE = mm.SearchSpace(decisions={"x": mm.real(-1.0, 1.0), "k": mm.integer(1, 5)})
pytestmark = pytest.mark.timeout(600)


@contextmanager
def probing(cluster: RayCluster, slots: int = 2) -> Iterator[EngineProbe]:
    settings = RaySettings(address=cluster.address, slots=slots)
    with RayEngine(settings, mm.__version__) as engine:
        probe = EngineProbe(engine)
        probe.pump(lambda: engine.slots >= slots, LONG_S)
        yield probe


def eventually(true: Callable[[], object], within_s: float = LONG_S) -> float:
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < within_s, f"not within {within_s} s"
        time.sleep(0.02)
    return time.monotonic() - begun


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

        probe.prepare(theirs.Reporting(str(tally), 0.0), "loss", scratch=tmp_path)
        assert stop_latencies(probe, tally)[2] < 0.05

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
    """Seconds from an order to stop until the trial hears it, sorted; of five attempts."""
    found = []
    for _ in range(5):
        token = probe.submit()
        probe.pump(lambda: sum(isinstance(e, Reported) for e in probe.about(token)) > 5, LONG_S)  # noqa: B023
        sent = time.time()
        probe.engine.order(token, Order.STOP)
        probe.finish(LONG_S)
        assert isinstance(probe.finished(token).outcome, Stopped)
        found.append(float(tally.read_text().splitlines()[-1].split()[-1]) - sent)
    return sorted(found)


def counts(tally: Path, word: str) -> Counter[int]:
    """How often each trial did that."""
    lines = [line.split() for line in tally.read_text().splitlines()]
    return Counter(int(number) for first, number, *_ in lines if first == word)


@pytest.mark.soak
class TestRayEngine(EngineContract):
    """The same contract as for every engine."""

    @pytest.fixture(autouse=True)
    def _there(self, cluster: RayCluster) -> None:
        self.cluster = cluster

    def make(self, slots: int) -> RayEngine:
        return RayEngine(
            RaySettings(address=self.cluster.address, slots=min(slots, 2)), mm.__version__
        )
