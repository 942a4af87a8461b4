"""Ranks and fronts of values that are minimised."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morphml.errors import ExperimentError
from morphml.search.objectives import (
    Direction,
    Objective,
    best_first,
    dominates,
    parse_objectives,
    undominated,
)
from morphml.visualization.points import metric_label


def test_of_equals_in_the_first_objective_the_undominated_come_first() -> None:
    values = [(0.5, 9.0), (0.1, 7.0), (0.1, 3.0), (0.1, 3.0), (0.1, 5.0)]
    assert best_first(values) == [2, 3, 1, 4, 0]


def test_equals_that_trade_off_keep_the_order_given() -> None:
    values = [(1.0, 2.0, 3.0), (1.0, 3.0, 2.0), (1.0, 3.0, 3.0), (1.0, 1.0, 9.0)]
    assert best_first(values) == [0, 1, 3, 2]


def test_single_objective_is_ranked_by_value_and_order() -> None:
    assert best_first([(2.0,), (1.0,), (2.0,), (1.0,)]) == [1, 3, 0, 2]
    assert best_first([]) == []


@given(st.lists(st.tuples(*[st.integers(0, 3).map(float)] * 2), max_size=12))
def test_front_is_what_no_pair_contradicts(values: list[tuple[float, ...]]) -> None:
    front = set(undominated(values))
    for position, value in enumerate(values):
        assert (position in front) != any(dominates(other, value) for other in values)
    ranked = best_first(values)
    assert sorted(ranked) == list(range(len(values)))
    assert not values or ranked[0] in front
    for one, other in itertools.pairwise(ranked):
        assert values[one][0] <= values[other][0]


def test_unit_is_read_written_and_shown() -> None:
    accuracy, latency = parse_objectives({"accuracy": "max", "latency": "min  ms"})
    assert (latency.direction, latency.unit, latency.text) == (Direction.MIN, "ms", "min ms")
    assert (accuracy.unit, accuracy.text) == ("", "max")
    assert Objective.parse("latency", latency.text) == latency
    assert metric_label(latency) == "latency (ms, lower is better)"


@pytest.mark.parametrize("text", ["", "up", "min ms s", "minms", "max <b>", "min " + "x" * 17, 3])
def test_other_texts_are_refused(text: object) -> None:
    with pytest.raises(ExperimentError, match="'a' is to be 'min' or 'max', got"):
        Objective.parse("a", text)
