"""Data sets that an evaluator declares."""

from __future__ import annotations

import pytest

from morphml.errors import EvaluatorError
from morphml.evaluation.source_needs import data_sets_of


def test_data_sets_are_those_that_the_evaluator_declares() -> None:
    class Declaring:
        data_sets = ["imagenet", "places"]  # noqa: RUF012  # as users write it

    assert data_sets_of(Declaring()) == ("imagenet", "places")
    assert data_sets_of(print) == ()


@pytest.mark.parametrize("declared", ["imagenet", (1,), ("",), None])
def test_data_sets_that_are_no_names_are_refused(declared: object) -> None:
    class Declaring:
        data_sets = declared

    with pytest.raises(EvaluatorError, match="names as a tuple of texts"):
        data_sets_of(Declaring())
