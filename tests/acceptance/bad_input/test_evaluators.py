"""Evaluators that break their contract or their process: each costs its own trial and no other."""

from __future__ import annotations

import sys
from collections.abc import Callable

Suffer = Callable[..., object]

# --- what is returned or raised ------------------------------------------------------------------


def raises() -> object:
    raise ValueError("no such column: age")


class Tensor:
    """Stands for torch's: its import would take longer than all searches of this file."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __float__(self) -> float:
        raise RuntimeError("a Tensor with 3 elements cannot be converted to Scalar")


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def raises_the_unprintable() -> object:
    raise Unprintable


def recurses() -> object:
    return recurses()


def generates() -> object:
    yield 0.5


BROKEN = {
    1: (raises, "ValueError: no such column: age"),
    3: (lambda: float("nan"), "EvaluatorError: the evaluator returned score=nan; a metric is a fin"),
    4: (lambda: {"score": float("inf")}, "returned score=inf; a metric is a finite number. When tr"),
    6: (lambda: Tensor(3), "a Tensor of shape (3,) (reduce it to one number, then call .item())"),
    7: (lambda: {"score": Tensor()}, "score=a Tensor of shape () (call .item() on it)"),
    9: (lambda: "0.93", "the evaluator returned the text '0.93'; expected a finite number, or a ma"),
    10: (lambda: {"scor": 0.5}, "returned no 'score', which the experiment optimises or constrains; returned: 'scor'"),
    12: (dict, "returned no 'score', which the experiment optimises or constrains; returned: an empty mapping"),
    13: (lambda: None, "the evaluator returned None (is a return statement missing?)"),
    15: (lambda: True, "the evaluator returned True (a bool is no metric; use float(...) if"),
    16: (lambda: {"score": 1.0, "params": 7}, "returned 'params', which MorphML counts on the model graph itself; give it another name, such as 'measured_params'"),
    18: (lambda: 10**400, "returned score beyond the range of a float"),
    19: (generates, "returned a value of type generator"),
    21: (recurses, "RecursionError: maximum recursion depth exceeded"),
    22: (raises_the_unprintable, "Unprintable: (its text cannot be made: RuntimeError)"),
    24: (lambda: sys.exit("bye"), "SystemExit: the evaluator ended its process: sys.exit('bye')"),
    25: (lambda: {"score": 1.0, 3: 2.0}, "returned a metric named 3; names are texts"),
}  # fmt: skip


def test_broken_results_fail_their_trials_with_the_reason_and_the_search_goes_on(
    suffer: Suffer,
) -> None:
    suffered = suffer({number: bad for number, (bad, _) in BROKEN.items()}, trials=30)
    suffered.check(30, dict.fromkeys(BROKEN, "user_error"))
    for number, (_, words) in BROKEN.items():
        assert words in suffered.message(number)
    (trace,) = {failure["traceback"] for failure in suffered.failures(1)}
    assert 'raise ValueError("no such column: age")' in trace
    assert "morphml/engines" not in trace
