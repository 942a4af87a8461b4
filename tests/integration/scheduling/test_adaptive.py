"""What the adaptive policy learns, and what that changes, by a virtual clock of a few lines."""

from __future__ import annotations

import math
from heapq import heappop, heappush
from statistics import mean

import numpy as np
import pytest

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.scheduler import create_scheduler
from morphml.scheduling.speeds import Speeds
from morphml.scheduling.waiting import WaitingTask
from morphml.seeds import generator

E = ExperimentId("e")


def makespan(policy: str, speeds: list[float], costs: np.ndarray, noise: np.ndarray) -> float:
    """Seconds until all tasks are done, with one slot for each speed."""
    made = create_scheduler(policy)
    for number in range(len(speeds)):
        made.fleet.put(f"w{number}", name=f"w{number}", slots=1, capabilities={}, held={})
    for number, cost in enumerate(costs):
        token = AttemptToken(str(number))
        made.submit(WaitingTask(token=token, experiment=E, cost=float(cost)))
    made.expect(E, 0)
    now, ends, left = 0.0, list[tuple[float, int, float]](), len(costs)
    while left:
        while (placement := made.decide(now)) is not None:
            number, worker = int(placement.token), int(placement.worker[1:])
            seconds = float(costs[number] * noise[number]) / speeds[worker]
            heappush(ends, (now + seconds, number, seconds))
        if made.due() < (ends[0][0] if ends else math.inf):
            now = max(now, made.due())
            continue
        now, number, seconds = heappop(ends)
        made.ended(AttemptToken(str(number)), seconds=seconds, succeeded=True, now=now)
        left -= 1
    return now


def gains(speeds: list[float], count: int, sigma: float) -> list[float]:
    """By how much of FIFO's time the adaptive policy is shorter, for some seeds."""
    found = []
    for seed in range(6):
        rng = generator(seed, count, "adaptive")
        costs = rng.lognormal(2.0, sigma, count)
        noise = np.exp(rng.normal(0.0, 0.2, count))
        times = [makespan(policy, speeds, costs, noise) for policy in ("fifo", "adaptive")]
        found.append(1.0 - times[1] / times[0])
    return found


@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_unequal_workers_are_used_at_least_15_percent_better_than_by_fifo(sigma: float) -> None:
    assert mean(gains([1.0] * 15 + [4.0] * 15, 300, sigma)) >= 0.15


@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_equal_workers_are_never_used_worse_by_3_percent(sigma: float) -> None:
    assert min(gains([1.0] * 30, 300, sigma)) >= -0.03


def test_speeds_are_learned_up_to_a_common_factor() -> None:
    speeds, rng = Speeds(), generator(0, 0, "speeds")
    for _ in range(400):
        worker, cost = int(rng.integers(8)), float(rng.lognormal())
        speed = 4.0 if worker % 2 else 1.0
        seconds = 7.0 * cost / speed * math.exp(0.2 * rng.normal())
        speeds.succeeded(f"w{worker}", E, cost, seconds)
    slow = mean(speeds.speed(f"w{w}") for w in range(0, 8, 2))
    fast = mean(speeds.speed(f"w{w}") for w in range(1, 8, 2))
    assert 3.2 <= fast / slow <= 4.8
    assert speeds.differ()


def test_noise_is_not_taken_for_speed() -> None:
    speeds, rng = Speeds(), generator(0, 0, "noise")
    for _ in range(400):
        speeds.succeeded(f"w{int(rng.integers(20))}", E, 1.0, math.exp(0.5 * rng.normal()))
    known = [speeds.speed(f"w{w}") for w in range(20)]
    assert max(known) / min(known) <= 1.1


def test_worker_that_fails_is_worth_less_and_gets_no_credit_for_speed() -> None:
    speeds = Speeds()
    for _ in range(10):
        speeds.succeeded("good", E, 1.0, 1.0)
        speeds.failed("bad")
    assert speeds.speed("bad") < 0.5 < speeds.speed("good") == pytest.approx(1.0)


def test_long_tasks_go_before_short_ones_and_to_who_is_known_to_be_fast() -> None:
    made = create_scheduler("adaptive")
    for name in ("slow", "fast"):
        made.fleet.put(name, name=name, slots=1, capabilities={}, held={})
    for number in range(20):
        for name, speed in (("slow", 1.0), ("fast", 4.0)):
            token = AttemptToken(f"{name}{number}")
            made.adopt(WaitingTask(token=token, experiment=E, cost=1.0), name, 0.0)
            made.ended(token, seconds=1.0 / speed, succeeded=True, now=0.0)
    for name, cost in (("short", 1.0), ("long", 6.0), ("middle", 3.0)):
        made.submit(WaitingTask(token=AttemptToken(name), experiment=E, cost=cost))
    first, second = made.decide(0.0), made.decide(0.0)
    assert first is not None
    assert second is not None
    assert [(p.token, p.worker) for p in (first, second)] == [("long", "fast"), ("middle", "slow")]


def test_last_task_waits_for_the_fast_worker_only_while_that_ends_sooner() -> None:
    made = create_scheduler("adaptive")
    for name in ("slow", "fast"):
        made.fleet.put(name, name=name, slots=1, capabilities={}, held={})
    for number in range(20):
        for name, speed in (("slow", 1.0), ("fast", 4.0)):
            token = AttemptToken(f"{name}{number}")
            made.adopt(WaitingTask(token=token, experiment=E, cost=1.0), name, 0.0)
            made.ended(token, seconds=1.0 / speed, succeeded=True, now=0.0)
    made.adopt(WaitingTask(token=AttemptToken("runs"), experiment=E, cost=4.0), "fast", 0.0)
    made.submit(WaitingTask(token=AttemptToken("last"), experiment=E, cost=8.0))
    placement = made.decide(0.0)
    assert placement is not None  # nobody said that it is the last
    made.give_back(AttemptToken("last"))
    made.expect(E, 0)
    made.submit(WaitingTask(token=AttemptToken("last"), experiment=E, cost=8.0))
    assert made.decide(0.0) is None
    assert 4.0 <= made.due() <= 8.0
    placement = made.decide(made.due())
    assert placement is not None
    assert placement.worker == "slow"  # the fast one is stuck
