"""The examples in the docstrings of the graph room say what happens."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

WITH_EXAMPLES = ("identity", "costing", "shapes", "operation", "drawing")


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings_hold(name: str) -> None:
    failed, tried = doctest.testmod(import_module(f"morphml.graph.{name}"))
    assert tried > 0
    assert failed == 0
