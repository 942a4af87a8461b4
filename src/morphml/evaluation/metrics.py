"""Checks of what an evaluator returns and reports: finite numbers under the names expected."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real

from morphml.errors import EvaluatorError
from morphml.search.objectives import COMPUTED_METRICS


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRules:
    """Which metrics a result must have."""

    #: Objectives and constrained metrics that the evaluator measures, the first objective first.
    required: tuple[str, ...]

    @classmethod
    def of(cls, *names: str) -> MetricRules:
        """The rules for these metrics; computed ones (params, flops) are left out."""
        measured = dict.fromkeys(name for name in names if name not in COMPUTED_METRICS)
        return cls(required=tuple(measured))


def check_result(value: object, rules: MetricRules) -> dict[str, float]:
    """The metrics of a finished evaluation, as plain floats by name.

    Args:
        value: what the evaluator returned: a number (the first required metric) or a mapping.
        rules: the metrics that must be there; others may be.

    Raises:
        EvaluatorError: when it is neither, a metric is missing, not finite, or counted by MorphML.
    """
    if type(value) is float or (not isinstance(value, Mapping) and is_number(value)):
        if len(rules.required) == 1:
            name = rules.required[0]
            return {name: check_number(value, name, "returned")}
        raise EvaluatorError(_one_number_for_many(value, rules))
    if not isinstance(value, Mapping):
        raise EvaluatorError(f"the evaluator returned {describe(value)}; {_EXPECTED}")
    metrics = check_metrics(value.items(), "returned")
    missing = [name for name in rules.required if name not in metrics]
    if missing:
        raise EvaluatorError(
            f"the evaluator returned no {_names(missing)}, which the experiment optimises or "
            f"constrains; returned: {_names(list(metrics)) or 'an empty mapping'}"
        )
    return metrics


def check_metrics(metrics: Iterable[tuple[object, object]], verb: str) -> dict[str, float]:
    """The metrics as plain floats.

    Args:
        metrics: names and numbers.
        verb: ``returned`` or ``reported``, for the message.

    Raises:
        EvaluatorError: when a name or a value may not be there; the message says which and why.
    """
    checked: dict[str, float] = {}
    for name, value in metrics:
        if name in COMPUTED_METRICS:
            raise EvaluatorError(
                f"the evaluator {verb} {name!r}, which MorphML counts on the model graph itself; "
                f"give it another name, such as 'measured_{name}'"
            )
        if not isinstance(name, str) or not name:
            raise EvaluatorError(f"the evaluator {verb} a metric named {name!r}; names are texts")
        checked[name] = check_number(value, name, verb)
    return checked


def check_number(value: object, name: str, verb: str) -> float:
    """``value`` as a finite float.

    Raises:
        EvaluatorError: when it is not a number, or NaN, or infinite.
    """
    if type(value) is not float:
        if not is_number(value):
            raise EvaluatorError(f"the evaluator {verb} {name}={describe(value)}; {_EXPECTED}")
        value = _as_float(value, name, verb)
    if not math.isfinite(value):
        raise EvaluatorError(
            f"the evaluator {verb} {name}={value}; a metric is a finite number. When training "
            f"diverged, raise an exception: a failed trial ranks behind every other"
        )
    return value


def is_number(value: object) -> bool:
    """Whether it counts as a number here: real, not a bool, not a tensor or array."""
    return isinstance(value, Real) and not isinstance(value, bool)


def describe(value: object) -> str:
    """What ``value`` is, and what to do about it, in some words for an error message."""
    if value is None:
        return "None (is a return statement missing?)"
    kind = type(value).__name__
    if isinstance(value, bool) or kind in {"bool_", "bool"}:
        return f"{value!r} (a bool is no metric; use float(...) if it is meant)"
    if isinstance(value, str | bytes):
        return f"the {'text' if isinstance(value, str) else 'bytes'} {value[:60]!r}"
    shape = getattr(value, "shape", None)
    if shape is not None:
        scalar = math.prod(shape) == 1
        advice = "call .item() on it" if scalar else "reduce it to one number, then call .item()"
        return f"a {kind} of shape {tuple(shape)} ({advice})"
    return f"a value of type {kind}"


_EXPECTED = "expected a finite number, or a mapping of metric names to finite numbers"


def _as_float(value: object, name: str, verb: str) -> float:
    assert isinstance(value, Real)
    try:
        return float(value)
    except OverflowError:
        raise EvaluatorError(
            f"the evaluator {verb} {name} beyond the range of a float (1.8e308)"
        ) from None


def _one_number_for_many(value: object, rules: MetricRules) -> str:
    if not rules.required:
        return (
            f"the evaluator returned the number {value!r}, but the experiment measures no metric; "
            f"return a mapping, which may be empty"
        )
    return (
        f"the evaluator returned one number, {value!r}, but the experiment needs "
        f"{_names(list(rules.required))}; return a mapping"
    )


def _names(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
