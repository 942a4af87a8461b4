from __future__ import annotations

import pytest

from morphml.benchmarks.judging import FrontDistance, HypervolumeLoss, SeenRegret, hypervolume
from morphml.benchmarks.problem import Measure
from morphml.search.objectives import Direction, Objective

SEEN = Measure(objective=Objective(name="early", direction=Direction.MAX), best=9.0)
FINAL = Measure(objective=Objective(name="final", direction=Direction.MAX), best=20.0)


def test_regret_is_that_of_the_best_seen_and_may_rise_where_another_metric_is_judged() -> None:
    judge = SeenRegret(SEEN, FINAL)
    assert judge.add(None) == float("inf")
    assert judge.add({"early": 3.0, "final": 18.0}) == 2.0
    assert judge.add({"early": 2.0, "final": 20.0}) == 2.0
    assert judge.add({"early": 5.0, "final": 17.0}) == 3.0
    assert judge.add({"early": 5.0, "final": 20.0}) == 3.0


def test_hypervolume_of_steps_is_their_area() -> None:
    # 1 x 1 up to (2, 2) beyond (1, 1), and the corner (0, 1.5) adds 1 x 0.5.
    assert hypervolume([(1.0, 1.0), (0.0, 1.5), (1.5, 1.5)], (2.0, 2.0)) == pytest.approx(1.5)
    assert hypervolume([(2.0, 0.0), (0.0, 2.0)], (2.0, 2.0)) == 0.0


def test_hypervolume_loss_falls_to_zero_with_the_whole_front() -> None:
    up = Objective(name="accuracy", direction=Direction.MAX)
    down = Objective(name="latency", direction=Direction.MIN)
    judge = HypervolumeLoss((up, down), (80.0, 10.0), 10.0 * 5 + 5.0 * 2)
    assert judge.add({"accuracy": 70.0, "latency": 1.0}) == 1.0
    assert judge.add({"accuracy": 90.0, "latency": 5.0}) == pytest.approx(1 - 50 / 60)
    assert judge.add({"accuracy": 85.0, "latency": 6.0}) == pytest.approx(1 - 50 / 60)
    assert judge.add({"accuracy": 85.0, "latency": 3.0}) == pytest.approx(0.0)


def test_distance_to_the_exact_front_is_scaled_by_its_width_and_falls_to_zero() -> None:
    up = Objective(name="accuracy", direction=Direction.MAX)
    down = Objective(name="latency", direction=Direction.MIN)
    judge = FrontDistance((up, down), [(-90.0, 5.0), (-85.0, 3.0)])
    assert judge.add(None) == float("inf")
    # 5 points and 2 ms are the front's width: (85, 5) is one width from each of the two.
    assert judge.add({"accuracy": 85.0, "latency": 5.0}) == pytest.approx(1.0)
    assert judge.add({"accuracy": 90.0, "latency": 5.0}) == pytest.approx(0.5)
    assert judge.add({"accuracy": 80.0, "latency": 9.0}) == pytest.approx(0.5)
    assert judge.add({"accuracy": 85.0, "latency": 3.0}) == 0.0
