"""Ready-made spaces as large as in their papers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from morphml import spaces
from morphml.space import SearchSpace
from morphml.space.text import parse_space


@pytest.mark.parametrize("name", spaces.__all__)
def test_full_sized_space_is_made_by_its_call_in_a_text(name: str) -> None:
    space = parse_space(f"spaces.{name}()")
    assert space == getattr(spaces, name)()
    assert space.definition.name == name
    member = space.sample(np.random.default_rng(0))
    assert member.params > 0


def bottlenecks(choices: int, stages: int, widths: int) -> int:
    return (choices * (choices + choices**2 + choices**3)) ** stages * widths


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (spaces.nasbench201, 5**6),
        (spaces.darts, (1 * 3 * 6 * 10 * 7**8) ** 2),
        (spaces.mobilenet, bottlenecks(9, 5, 3)),
        (
            lambda: spaces.transformer(widths=(32, 64), depth=2),
            2 * sum((heads * 6) + (heads * 6) ** 2 for heads in (2, 3)),
        ),
    ],
    ids=["nasbench201", "darts", "mobilenet", "transformer"],
)
def test_size_is_what_the_paper_says(make: Callable[[], SearchSpace], size: int) -> None:
    measured = make().size
    assert (measured.low, measured.high) == (size, size)
