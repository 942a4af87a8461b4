"""The examples in the docstrings of the space room say what happens."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

WITH_EXAMPLES = (
    "search_space", "domains", "expressions", "compose", "graph_counting", "plain_values",
    "pretty",
)  # fmt: skip


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings_of_the_space_room_hold(name: str) -> None:
    failed, tried = doctest.testmod(import_module(f"morphml.space.{name}"))
    assert tried > 0
    assert failed == 0
