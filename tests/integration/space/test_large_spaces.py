"""Spaces that are too large are refused soon."""

from __future__ import annotations

import pytest

from morphml import SearchSpace, choice, repeat
from morphml import layers as L
from morphml.errors import SpaceError, TextFormError
from morphml.space.text.expansion import MAX_VALUES
from morphml.space.text.forms import parse_expression


def test_space_of_too_many_copies_is_refused_soon() -> None:
    inner = repeat(L.dense(choice(4, 8)), times=150)
    with pytest.raises(SpaceError, match=r"more than 20,000 blocks and decisions"):
        SearchSpace(input=(4,), layers=[repeat(inner, times=150)])


def test_many_values_without_names_count_as_well() -> None:
    assert MAX_VALUES == 100_000
    half = "[" + "1," * 40_000 + "]"
    with pytest.raises(TextFormError, match=r"line 2, .*100,000 values"):
        parse_expression(f"a = {half}\n[*a, *a]")
