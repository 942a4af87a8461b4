"""Violations stay finite: the log is JSON, and JSON has no infinity."""

from __future__ import annotations

import math
import sys

import pytest

from morphml.errors import ConstraintError
from morphml.search.constraints import parse_constraints, total_violation


@pytest.mark.parametrize("value", [1e300, -1e300, sys.float_info.max, -sys.float_info.max])
def test_violation_is_finite_whatever_the_evaluator_returned(value: float) -> None:
    bounds = parse_constraints({"a": "<= -1e-300", "b": ">= 1e-300", "c": "<= -1e300"})
    metrics = {"a": value, "b": value, "c": value}
    total = total_violation(bounds, metrics)
    assert math.isfinite(total)
    assert total > 0


@pytest.mark.parametrize("text", ["<= 1e999", ">= -1e999"])
def test_infinite_limit_is_refused(text: str) -> None:
    with pytest.raises(ConstraintError, match="finite"):
        parse_constraints({"a": text})
