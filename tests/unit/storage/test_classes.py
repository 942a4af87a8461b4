"""Requirement sets as classes."""

from __future__ import annotations

import pytest

from morphml.scheduling.resources import Capacity
from morphml.storage.classes import encode_requirements, is_met


def test_equal_requirement_sets_have_one_text() -> None:
    assert encode_requirements({"ssd": 1, "gpu": 0.5}) == encode_requirements(
        {"gpu": 0.5, "ssd": 1.0}
    )
    assert encode_requirements({}) == "{}"


@pytest.mark.parametrize(
    ("needed", "offered", "met"),
    [
        ({}, {}, True),
        ({"gpu": 0.5}, None, True),
        ({"gpu": 0.5}, {}, False),
        ({"gpu": 0.5}, {"gpu": 0.5}, True),
        ({"gpu": 0.5}, {"gpu": 0.25}, False),
        ({"gpu": 1.5}, {"gpu": 2.0}, False),
        ({"gpu": 1.5}, None, True),
        ({"gpu": 0.5, "ssd": 1}, {"gpu": 4}, False),
        ({"gpu": 0.5, "ssd": 1}, {"gpu": 4, "ssd": 1, "cpu": 8}, True),
    ],
)
def test_class_is_met_by_what_offers_as_much_of_everything(
    needed: dict[str, float], offered: dict[str, float] | None, met: bool
) -> None:
    could = None if offered is None else Capacity.parse(offered).could
    assert is_met(encode_requirements(needed), could) is met
