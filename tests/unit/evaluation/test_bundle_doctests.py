"""The examples in docstrings hold."""

from __future__ import annotations

import doctest

from morphml.evaluation.bundle import naming


def test_examples_of_names_hold() -> None:
    found = doctest.testmod(naming)
    assert (found.failed, found.attempted) == (0, 2)
