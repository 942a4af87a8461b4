"""Intervals and rank tests against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from morphml.benchmarks.statistics import holm, interval, signed_rank, student


def test_interval_is_that_of_a_table_of_t() -> None:
    # Mean 3, variance 2.5, standard error sqrt(0.5); t at 4 degrees of freedom is 2.776.
    found = interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.mean == 3.0
    assert found.half == pytest.approx(2.776 * math.sqrt(0.5), abs=0.003)
    assert (found.low, found.high) == (found.mean - found.half, found.mean + found.half)


def test_interval_of_one_value_is_unknown() -> None:
    assert interval([7.0]).half == math.inf


@pytest.mark.parametrize(
    ("freedom", "t"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (19, 2.093), (199, 1.972)],
)
def test_student_agrees_with_the_printed_table(freedom: int, t: float) -> None:
    assert student(freedom) == pytest.approx(t, abs=0.003)


def test_signed_rank_of_a_small_case_by_hand() -> None:
    # Sizes 1 to 6, only the smallest is positive: W+ = 1, mean 10.5, variance 6 * 7 * 13 / 24.
    z = (1 - 10.5) / math.sqrt(22.75)
    p = math.erfc(abs(z) / math.sqrt(2))
    assert signed_rank([1.0, -2.0, -3.0, -4.0, -5.0, -6.0]) == pytest.approx(p, rel=1e-9)


def test_signed_rank_shares_ranks_among_equals_and_leaves_zeros_out() -> None:
    # 1, 1 share rank 1.5; 2 has 3; W+ = 1.5, mean 3, variance 3.5 - (2**3 - 2) / 48 = 3.375.
    z = (1.5 - 3.0) / math.sqrt(3.375)
    p = math.erfc(abs(z) / math.sqrt(2))
    assert signed_rank([0.0, 1.0, -1.0, -2.0, 0.0]) == pytest.approx(p, rel=1e-9)


def test_signed_rank_of_no_difference_is_certain() -> None:
    assert signed_rank([0.0, 0.0]) == 1.0


def test_signed_rank_does_not_care_who_is_first() -> None:
    differences = [0.3, -1.0, 2.5, 0.1, -0.2, 4.0]
    assert signed_rank(differences) == pytest.approx(signed_rank([-d for d in differences]))


def test_holm_multiplies_by_what_is_left_and_never_falls() -> None:
    # Sorted .01 * 4, .02 * 3, .03 * 2 (raised to .06), .5 * 1.
    assert holm([0.03, 0.5, 0.01, 0.02]) == pytest.approx([0.06, 0.5, 0.04, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
