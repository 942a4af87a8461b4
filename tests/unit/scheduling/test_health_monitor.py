"""When a sick worker is drained, when it comes back, and what is kept of its past."""

from __future__ import annotations

import tracemalloc

import hypothesis.strategies as st
import pytest
from hypothesis import given

from morphml.scheduling.health import (
    GPU_THRESHOLDS,
    THRESHOLDS,
    Drain,
    Figure,
    HealthMonitor,
    HealthRule,
    History,
    Recover,
    Threshold,
)

MIB = 1 << 20
F = Figure
ALL = HealthRule(thresholds=(*THRESHOLDS, *GPU_THRESHOLDS))


def test_full_disk_drains_at_once_and_the_worker_comes_back_when_there_is_room() -> None:
    monitor = HealthMonitor()
    assert monitor.measured("w", {F.DISK_FREE: 5000 * MIB}, 0.0) == []
    assert monitor.measured("w", {F.DISK_FREE: 12 * MIB}, 1.0) == [
        Drain(worker="w", reason="its disk is full: 12 MiB left")
    ]
    assert monitor.measured("w", {F.DISK_FREE: 11 * MIB}, 2.0) == []
    assert monitor.measured("w", {F.DISK_FREE: 600 * MIB}, 3.0) == []  # between the two edges
    assert monitor.measured("w", {F.DISK_FREE: 2000 * MIB}, 4.0) == [Recover(worker="w")]


@pytest.mark.parametrize(
    ("figure", "sick", "well", "words"),
    [
        (F.MEMORY_PERCENT, 99.0, 50.0, "its memory is full: 99 %"),
        (F.GPU_TEMPERATURE, 95.0, 60.0, "it is too hot: 95 C"),
    ],
)
def test_heat_and_memory_must_last_ten_seconds_both_ways(
    figure: Figure, sick: float, well: float, words: str
) -> None:
    monitor = HealthMonitor(ALL)
    assert monitor.measured("w", {figure: sick}, 0.0) == []
    assert monitor.measured("w", {figure: well}, 5.0) == []
    assert monitor.measured("w", {figure: sick}, 9.0) == []
    assert monitor.measured("w", {figure: sick}, 18.9) == []
    assert monitor.measured("w", {figure: sick}, 19.0) == [Drain(worker="w", reason=words)]
    assert monitor.measured("w", {figure: well}, 20.0) == []
    assert monitor.measured("w", {figure: well}, 30.0) == [Recover(worker="w")]


def test_gpu_error_drains_until_the_count_is_zero_again() -> None:
    monitor = HealthMonitor(ALL)
    (drain,) = monitor.measured("w", {F.GPU_ERRORS: 2.0}, 0.0)
    assert drain == Drain(worker="w", reason="it has 2 errors")
    assert monitor.measured("w", {F.GPU_ERRORS: 1.0}, 1.0) == []
    assert monitor.measured("w", {F.GPU_ERRORS: 0.0}, 2.0) == [Recover(worker="w")]


def test_worker_that_is_sick_in_two_ways_says_both_and_comes_back_after_the_second() -> None:
    monitor = HealthMonitor(ALL)
    monitor.measured("w", {F.DISK_FREE: 0.0}, 0.0)
    both = monitor.measured("w", {F.DISK_FREE: 0.0, F.GPU_ERRORS: 1.0}, 1.0)
    reason = "its disk is full: 0 MiB left; it has 1 errors"
    assert both == [Drain(worker="w", reason=reason)]
    one = monitor.measured("w", {F.DISK_FREE: 9e9, F.GPU_ERRORS: 1.0}, 2.0)
    assert one == [Drain(worker="w", reason="it has 1 errors")]
    assert monitor.measured("w", {F.GPU_ERRORS: 0.0}, 3.0) == [Recover(worker="w")]


def test_busy_processor_and_figures_that_are_absent_drain_nobody() -> None:
    monitor = HealthMonitor()
    for second in range(100):
        assert monitor.measured("w", {F.CPU_PERCENT: 100.0, F.GPU_PERCENT: 100.0}, second) == []


def test_threshold_that_could_never_be_met_is_refused() -> None:
    endless = Threshold(figure=F.CPU_PERCENT, sick=float("nan"), well=0.0, words="")
    with pytest.raises(ValueError, match="finite"):
        HealthRule(thresholds=(endless,))


@given(st.lists(st.floats(0, 100), max_size=200))
def test_drains_and_recoveries_take_turns_on_any_figures(values: list[float]) -> None:
    monitor = HealthMonitor()
    commands = []
    for second, value in enumerate(values):
        commands += monitor.measured("w", {F.MEMORY_PERCENT: value}, float(second))
    kinds = [type(each) for each in commands]
    assert kinds == [Drain, Recover] * (len(kinds) // 2) + [Drain] * (len(kinds) % 2)
    # Ten seconds each way at least: no worker comes and goes.
    assert len(kinds) <= 1 + len(values) // 10


def test_history_keeps_the_newest_samples_in_order_and_names_what_was_absent() -> None:
    history = History(samples=3, every_s=10.0)
    for at in range(0, 60, 5):
        figures = {F.CPU_PERCENT: float(at)} | ({F.GPU_PERCENT: 50.0} if at >= 40 else {})
        history.add(figures, float(at))
    assert history.series() == {
        "at": [30.0, 40.0, 50.0],
        "cpu_percent": [30.0, 40.0, 50.0],
        "gpu_percent": [None, 50.0, 50.0],
    }


def test_history_of_many_workers_stays_within_its_bytes() -> None:
    rule = HealthRule(samples=36)
    monitor = HealthMonitor(rule)
    figures = dict.fromkeys(Figure, 1.0)
    tracemalloc.start()
    for number in range(200):
        for sample in range(40):
            monitor.measured(f"w{number}", figures | {F.DISK_FREE: 1e12}, 10.0 * sample)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken / 200 <= 36 * (8 + 4 * len(Figure)) + 3000
    monitor.keep_only({"w7", "w9"})
    assert monitor.known() == 2
    assert monitor.history("w8") == {}


def test_thresholds_have_room_between_sick_and_well() -> None:
    for each in THRESHOLDS:
        assert each.is_sick(each.sick)
        assert each.is_well(each.well)
        assert not each.is_well(each.sick)
        assert not each.is_sick(each.well)
