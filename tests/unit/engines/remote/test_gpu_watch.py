"""Which GPUs a worker tells its master to have shut."""

from __future__ import annotations

import pytest

from morphml.engines.local.binding import Binding
from morphml.engines.remote.messages import GpuFigures, ShutGpu
from morphml.engines.remote.worker.gpu_watch import GpuWatch
from morphml.scheduling.resources import Capacity


def figures(*temperatures: float, errors: int = 0) -> tuple[GpuFigures, ...]:
    return tuple(
        GpuFigures(
            index=index,
            model="G",
            percent=0.0,
            memory_percent=0.0,
            temperature_c=each,
            errors=errors if index == 1 else 0,
        )
        for index, each in enumerate(temperatures)
    )


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> GpuWatch:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return GpuWatch(Binding(4, ("cuda:0", "cuda:1"), Capacity.parse({"gpu": 2.0})))


def test_sick_gpu_is_told_at_once_with_its_slots_and_again_when_it_is_well(watch: GpuWatch) -> None:
    watch.look(figures(50.0, 50.0), 0.0)
    assert (watch.news(), watch.shut_slots) == (False, 0)
    watch.look(figures(50.0, 50.0, errors=2), 1.0)
    assert watch.news()
    assert watch.tell() == (ShutGpu(index=1, why="it has 2 errors"),)
    assert (watch.news(), watch.shut_slots) == (False, 2)
    watch.look(figures(50.0, 50.0), 2.0)
    assert (watch.news(), watch.tell(), watch.shut_slots) == (True, (), 0)


def test_each_gpu_is_judged_by_its_own_figures(watch: GpuWatch) -> None:
    for second in range(11):
        watch.look(figures(95.0 if second % 2 else 40.0, 95.0), float(second))
    assert watch.tell() == (ShutGpu(index=1, why="it is too hot: 95 C"),)
