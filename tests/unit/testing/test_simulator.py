"""The simulator: its course, its invariants, its figures."""

from __future__ import annotations

import dataclasses

import pytest

from morphml.errors import CallerError, SchedulingError
from morphml.testing.simulator import (
    Fixed,
    Load,
    Measured,
    Scenario,
    Size,
    Timeline,
    Troubles,
    WorkerKind,
    create_scenario,
    simulate,
    summarise,
)

SMALL = Size(workers=9, tasks=60, mean_s=60.0)


def exact(workers: int, tasks: int, **more: object) -> Scenario:
    """Tasks of ten seconds each."""
    load = Load(count=tasks, durations=Fixed(mean_s=10.0))
    return Scenario(name="exact", workers=(WorkerKind(count=workers),), loads=(load,), **more)


def test_equal_tasks_on_equal_workers_take_what_arithmetic_says() -> None:
    outcome = simulate(exact(5, 20), "fifo", seed=0)
    assert outcome.makespan_s == pytest.approx(40.0)
    assert outcome.bound_s == pytest.approx(40.0)
    assert outcome.slot_use == pytest.approx(1.0)
    assert outcome.idle == pytest.approx(0.0, abs=1e-9)
    assert outcome.waits[5].median_s == pytest.approx(15.0)


def test_an_overhead_is_added_to_every_task() -> None:
    outcome = simulate(exact(5, 20, overhead_s=0.5), "fifo", seed=0)
    assert outcome.makespan_s == pytest.approx(4 * 10.5)
    assert outcome.idle == pytest.approx(0.5 / 10.5, rel=0.02)


def test_same_seed_gives_the_same_course_and_another_one_another() -> None:
    scenario = create_scenario("partitions", SMALL)
    first, again, other = (simulate(scenario, "fifo", seed) for seed in (1, 1, 2))
    assert first.digest == again.digest != other.digest
    assert dataclasses.replace(again, decision_us=first.decision_us) == first


def test_workers_that_come_back_keep_what_they_run() -> None:
    troubles = Troubles(partitions_per_min=1.0, partition_s=30.0)
    scenario = exact(8, 200, troubles=troubles)
    outcome = simulate(scenario, "fifo", seed=1, check=True)
    assert outcome.lost > 0
    assert outcome.adopted > 0
    assert outcome.succeeded == 200


def test_work_of_dead_workers_is_done_again() -> None:
    outcome = simulate(
        exact(8, 200, troubles=Troubles(churn_per_min=0.3)), "fifo", seed=1, check=True
    )
    assert outcome.lost > 0
    assert outcome.attempts > outcome.tasks
    assert outcome.useful < outcome.slot_use


def test_a_task_that_fits_nowhere_is_said_not_waited_for() -> None:
    load = Load(count=2, durations=Fixed(mean_s=1.0), requirements={"gpu": 1.0})
    scenario = Scenario(name="none", workers=(WorkerKind(count=2),), loads=(load,))
    with pytest.raises(SchedulingError, match="2 of 2 tasks never end"):
        simulate(scenario, "fifo", seed=0)


def test_the_bound_knows_who_can_run_what() -> None:
    kinds = (
        WorkerKind(count=9),
        WorkerKind(count=1, slots=4, speed=2.0, capabilities={"gpu": 1.0}),
    )
    load = Load(count=10, durations=Fixed(mean_s=8.0), requirements={"gpu": 0.5})
    scenario = Scenario(name="gpus", workers=kinds, loads=(load,))
    outcome = simulate(scenario, "fifo", seed=0, check=True)
    assert outcome.bound_s == pytest.approx(10 * 8.0 / (2 * 2.0))
    assert outcome.makespan_s == pytest.approx(20.0)


def test_a_summary_has_an_interval_only_over_several_seeds() -> None:
    runs = [simulate(create_scenario("homogeneous", SMALL), "fifo", seed) for seed in range(4)]
    several, single = summarise(runs), summarise(runs[:1])
    assert single.makespan_s.half == 0.0 < several.makespan_s.half
    assert several.makespan_s.value == pytest.approx(sum(r.makespan_s for r in runs) / 4)
    assert several.document()["seeds"] == 4
    with pytest.raises(CallerError, match="one scenario and policy"):
        summarise([])


def test_measured_durations_are_kept_as_they_are() -> None:
    load = Load(count=3, durations=Measured(seconds=(1.0, 2.0, 3.0)))
    scenario = Scenario(name="measured", workers=(WorkerKind(count=1),), loads=(load,))
    assert simulate(scenario, "fifo", seed=5).makespan_s == pytest.approx(6.0)
    with pytest.raises(CallerError, match="seconds > 0"):
        Measured(seconds=())


def test_an_unknown_scenario_is_answered_with_those_there_are() -> None:
    with pytest.raises(CallerError, match="did you mean 'heavy-tail'"):
        create_scenario("heavy-tails", SMALL)


def test_time_never_goes_back() -> None:
    timeline = Timeline()
    seen: list[float] = []
    for seconds in (5.0, 1.0, 3.0, 1.0):
        timeline.after(seconds, lambda number: seen.append(timeline.monotonic()), 0)
    while timeline.happen():
        pass
    assert seen == [1.0, 1.0, 3.0, 5.0]
    with pytest.raises(ValueError, match=">= 0"):
        timeline.after(-1.0, lambda number: None, 0)
