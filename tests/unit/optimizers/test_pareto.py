from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morphml.optimizers.pareto import (
    Result,
    best_first,
    better,
    crowding_distances,
    front_numbers,
)

RESULTS = st.lists(
    st.builds(
        Result,
        st.sampled_from([0.0, 0.0, 1.0]),
        st.tuples(st.integers(0, 4).map(float), st.integers(0, 4).map(float)),
    ),
    max_size=12,
)


@given(RESULTS)
def test_front_number_is_one_more_than_the_worst_front_that_beats_it(results: list[Result]) -> None:
    fronts = front_numbers(results).tolist()
    for mine, front in zip(results, fronts, strict=True):
        beaters = [f for r, f in zip(results, fronts, strict=True) if better(r, mine)]
        assert front == max(beaters, default=-1) + 1


@given(RESULTS)
def test_order_never_puts_a_result_behind_one_it_beats(results: list[Result]) -> None:
    order = [results[position] for position in best_first(results)]
    assert sorted(order) == sorted(results)
    for earlier, one in enumerate(order):
        assert not any(better(other, one) for other in order[earlier + 1 :])


def test_one_objective_is_ordered_by_violation_then_value_then_age() -> None:
    results = [Result(1.0, (0.0,)), Result(0.0, (2.0,)), Result(0.0, (1.0,)), Result(0.0, (1.0,))]
    assert best_first(results) == [2, 3, 1, 0]
    assert best_first([]) == []


def test_less_violation_beats_better_values() -> None:
    assert better(Result(0.0, (9.0, 9.0)), Result(0.5, (0.0, 0.0)))
    assert not better(Result(0.0, (1.0, 2.0)), Result(0.0, (2.0, 1.0)))
    assert not better(Result(0.0, (1.0, 1.0)), Result(0.0, (1.0, 1.0)))


def test_crowding_is_infinite_at_the_ends_and_larger_where_it_is_lonely() -> None:
    values = np.array([[0.0, 10.0], [1.0, 9.0], [2.0, 8.0], [8.0, 1.0], [10.0, 0.0]])
    distances = crowding_distances(values, np.zeros(5, dtype=np.int64))
    assert np.isinf(distances[[0, 4]]).all()
    assert distances[1] == pytest.approx(0.2 + 0.2)
    assert distances[2] == pytest.approx(0.7 + 0.8)
    assert distances[3] > distances[2] > distances[1]


def test_crowding_of_equal_values_is_a_number() -> None:
    distances = crowding_distances(np.ones((4, 2)), np.zeros(4, dtype=np.int64))
    assert not np.isnan(distances).any()
