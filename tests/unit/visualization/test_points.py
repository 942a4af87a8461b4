"""What pictures are drawn from: best so far, ranking, Pareto front."""

from __future__ import annotations

from itertools import product

import pytest

from morphml.search.objectives import parse_objectives
from morphml.visualization import TrialPoint, best_steps, pareto_front, ranked
from morphml.visualization.points import metric_label
from morphml.visualization.scales import robust_limits, time_unit, wide

ACCURACY, PARAMS = parse_objectives({"accuracy": "max", "params": "min"})


def point(number: int, accuracy: float, params: float = 1.0, **more: object) -> TrialPoint:
    fields = {"metrics": {"accuracy": accuracy, "params": params}, "ended_s": float(number)}
    return TrialPoint(number=number, **{**fields, **more})  # type: ignore[arg-type]


def test_best_steps_rise_in_order_of_end_and_skip_what_breaks_a_constraint() -> None:
    points = [
        point(0, 0.5, ended_s=9.0),
        point(1, 0.6, ended_s=3.0),
        point(2, 0.9, ended_s=4.0, feasible=False),
        point(3, 0.7, ended_s=5.0),
        TrialPoint(number=4, state="failed", ended_s=1.0),
    ]
    assert [(s.number, s.value) for s in best_steps(points, ACCURACY)] == [(1, 0.6), (3, 0.7)]


def test_ranked_puts_feasible_first_and_ties_by_number() -> None:
    points = [point(3, 0.7), point(1, 0.7), point(2, 0.9, feasible=False), point(0, 0.1)]
    assert [p.number for p in ranked(points, ACCURACY)] == [1, 3, 0, 2]


def test_pareto_front_equals_brute_force() -> None:
    grid = [0.1, 0.2, 0.3]
    points = [point(i, a, b) for i, (a, b) in enumerate([*product(grid, grid), (0.3, 0.1)])]

    def beaten(p: TrialPoint) -> bool:
        mine = (p.metrics["accuracy"], p.metrics["params"])
        return any(
            (q.metrics["accuracy"], q.metrics["params"]) != mine
            and q.metrics["accuracy"] >= mine[0]
            and q.metrics["params"] <= mine[1]
            for q in points
        )

    expected = {p.number for p in points if not beaten(p)}
    assert {p.number for p in pareto_front(points, (ACCURACY, PARAMS))} == expected
    assert len(expected) == 2


def test_metric_label_names_unit_and_direction() -> None:
    assert metric_label(ACCURACY) == "accuracy (higher is better)"
    assert metric_label(PARAMS) == "params (parameters, lower is better)"


@pytest.mark.parametrize(("longest", "unit"), [(100.0, "s"), (600.0, "min"), (1e5, "h")])
def test_time_axis_takes_the_unit_that_fits(longest: float, unit: str) -> None:
    assert time_unit(longest)[1] == unit


def test_limits_spare_a_diverged_trial_but_never_the_best() -> None:
    low, high = robust_limits([0.9, 0.91, 0.92, 0.93, -1e6], ACCURACY)
    assert low > 0
    assert high > 0.93
    low, high = robust_limits([0.9, 0.91, 0.92, 0.93, -1e6], PARAMS)
    assert low < -1e6


def test_only_positive_values_over_decades_are_wide() -> None:
    assert wide([1.0, 1000.0])
    assert not wide([0.0, 1000.0])
    assert not wide([1.0, 2.0])
