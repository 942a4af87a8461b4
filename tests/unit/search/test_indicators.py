"""Indicators of several objectives, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from morphml.benchmarks.judging import hypervolume as area
from morphml.errors import CallerError
from morphml.search.indicators import hypervolume, igd_plus


def test_hypervolume_of_boxes() -> None:
    assert hypervolume([(1.0, 2.0), (2.0, 1.0)], (3.0, 3.0)) == pytest.approx(3.0)
    assert hypervolume([(0.0, 0.0, 0.0)], (1.0, 2.0, 3.0)) == pytest.approx(6.0)
    assert hypervolume([], (1.0, 1.0)) == 0.0


def test_hypervolume_of_two_objectives_is_the_area_that_the_comparator_follows() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 5, 40):
        points = [(float(a), float(b)) for a, b in rng.random((count, 2))]
        assert hypervolume(points, (0.9, 0.8)) == pytest.approx(area(points, (0.9, 0.8)))


def test_igd_plus_counts_only_what_is_worse() -> None:
    # (1, 2) is 1 from dominating (0, 2), and sqrt(0 + 1) from dominating (1, 1): the mean is 1.
    assert igd_plus([(1.0, 2.0)], [(0.0, 2.0), (1.0, 1.0)]) == pytest.approx(1.0)
    assert igd_plus([(0.0, 0.0)], [(0.0, 2.0), (1.0, 1.0)]) == 0.0
    assert igd_plus([], [(0.0, 2.0)]) == float("inf")


def test_points_of_another_length_are_refused() -> None:
    with pytest.raises(CallerError, match="3 objectives do not compare with a point of 2"):
        hypervolume([(0.0, 0.0, 0.0)], (1.0, 1.0))
    with pytest.raises(CallerError, match="no point"):
        igd_plus([(0.0, 0.0)], [])
