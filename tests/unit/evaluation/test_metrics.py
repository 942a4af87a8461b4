from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from morphml.errors import EvaluatorError
from morphml.evaluation import MetricRules, check_result

ONE = MetricRules.of("accuracy", "params")
TWO = MetricRules.of("accuracy", "loss", "accuracy", "flops")
NONE = MetricRules.of("params")


class Tensorlike:
    """Of the form of a tensor: a shape, and no number by itself."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __float__(self) -> float:
        return 0.5


@pytest.mark.parametrize(
    "value", [0.5, np.float32(0.5), np.float64(0.5), Fraction(1, 2), {"accuracy": 0.5}]
)
def test_number_or_mapping_becomes_plain_floats(value: object) -> None:
    metrics = check_result(value, ONE)
    assert metrics == {"accuracy": 0.5}
    assert type(metrics["accuracy"]) is float


@pytest.mark.parametrize("value", [0, 1, np.int64(1)])
def test_whole_numbers_count_as_numbers(value: float) -> None:
    assert check_result(value, ONE) == {"accuracy": float(value)}


def test_rules_leave_out_computed_metrics_and_repetitions() -> None:
    assert TWO.required == ("accuracy", "loss")
    assert NONE.required == ()


def test_metrics_beyond_those_required_are_kept() -> None:
    metrics = {"accuracy": 0.5, "loss": 1.0, "seconds": 3}
    assert check_result(metrics, TWO) == metrics


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ["None", "return statement"]),
        ("0.9", ["the text '0.9'"]),
        (b"0.9", ["bytes"]),
        (True, ["bool"]),
        (np.bool_(True), ["bool"]),
        (float("nan"), ["accuracy=nan", "raise an exception"]),
        (float("inf"), ["accuracy=inf"]),
        (-float("inf"), ["accuracy=-inf"]),
        (10**400, ["range of a float"]),
        (np.array(0.5), ["ndarray of shape ()", ".item()"]),
        (np.array([0.5]), ["shape (1,)", "call .item()"]),
        (np.array([0.5, 1.0]), ["shape (2,)", "reduce"]),
        (Tensorlike(), ["Tensorlike of shape ()", ".item()"]),
        ([0.5], ["type list"]),
        (0.5j, ["type complex"]),
        ({}, ["no 'accuracy'", "an empty mapping"]),
        ({"acc": 0.5}, ["no 'accuracy'", "'acc'"]),
        ({"accuracy": None}, ["accuracy=None"]),
        ({"accuracy": Tensorlike(1)}, ["accuracy=a Tensorlike", ".item()"]),
        ({"accuracy": 0.5, "params": 3}, ["'params'", "counts", "measured_params"]),
        ({"accuracy": 0.5, "flops": 3}, ["'flops'"]),
        ({"accuracy": 0.5, 3: 0.1}, ["named 3"]),
        ({"accuracy": 0.5, "": 0.1}, ["named ''"]),
    ],
)
def test_wrong_result_is_refused_with_the_reason(value: object, words: list[str]) -> None:
    with pytest.raises(EvaluatorError) as caught:
        check_result(value, ONE)
    for word in words:
        assert word in str(caught.value)


def test_one_number_cannot_stand_for_two_metrics_or_none() -> None:
    with pytest.raises(EvaluatorError, match="'accuracy', 'loss'; return a mapping"):
        check_result(0.5, TWO)
    with pytest.raises(EvaluatorError, match="measures no metric"):
        check_result(0.5, NONE)
    assert check_result({}, NONE) == {}
