"""The unit cube: walls that throw back, and points that survive being written into a note."""

from __future__ import annotations

import numpy as np

from morphml.optimizers.cube import as_text, from_text, reflected


def test_points_outside_are_thrown_back_at_the_walls() -> None:
    thrown = reflected(np.array([-0.25, 0.5, 1.25, 2.5, -1.75]))
    assert np.allclose(thrown, [0.25, 0.5, 0.75, 0.5, 0.25])


def test_points_survive_a_note() -> None:
    point = np.random.default_rng(0).random(700)
    text = as_text(point)
    assert len(text) < 1_900
    assert np.abs(from_text(text) - point).max() < 1e-5
