"""Bounds on metrics: cheap ones reject a proposal, costly ones mark a result as infeasible."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from morphml.errors import ConstraintError
from morphml.search.objectives import COMPUTED_METRICS

_FORM = re.compile(r"^\s*(<=|>=|<|>)\s*([+-]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9]+)?)\s*$")

Relation = Literal["<=", ">=", "<", ">"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A bound on one metric, such as ``params <= 500_000``."""

    #: Name of the metric.
    metric: str
    #: How the metric compares with the limit.
    relation: Relation
    #: The limit, in the metric's unit.
    limit: float
    #: The bound as the caller wrote it.
    text: str

    @property
    def cheap(self) -> bool:
        """Whether it is known before training."""
        return self.metric in COMPUTED_METRICS

    def holds(self, value: float) -> bool:
        """Whether ``value`` keeps the bound; NaN does not."""
        match self.relation:
            case "<=":
                return value <= self.limit
            case "<":
                return value < self.limit
            case ">=":
                return value >= self.limit
            case ">":
                return value > self.limit

    def violation(self, value: float) -> float:
        """How far ``value`` is outside, relative to the limit; 0.0 where the bound holds."""
        if self.holds(value):
            return 0.0
        relative = abs(value - self.limit) / (abs(self.limit) or 1.0)
        return min(max(relative, 1e-12), sys.float_info.max)

    def __str__(self) -> str:
        """The bound as it is shown, ``metric relation limit``."""
        return f"{self.metric} {self.text.strip()}"


def parse_constraints(constraints: Mapping[str, object] | None) -> tuple[Constraint, ...]:
    """The bounds of an experiment.

    Args:
        constraints: metric name to a relation and a number, such as ``{"params": "<= 500_000"}``.

    Raises:
        ConstraintError: when a bound, or the whole, has another form.
    """
    if constraints is not None and not isinstance(constraints, Mapping):
        raise ConstraintError(
            "constraints: metric names and bounds such as {'params': '<= 500_000'}, "
            f"got {constraints!r}",
            constraint=repr(constraints),
        )
    parsed = []
    for metric, text in (constraints or {}).items():
        found = _FORM.match(text) if isinstance(text, str) else None
        if found is None:
            raise ConstraintError(
                f"constraint on {metric!r}: expected a relation and a number such as "
                f"'<= 500_000', got {text!r}",
                constraint=f"{metric} {text}",
            )
        relation: Relation = found[1]  # type: ignore[assignment]  # the pattern admits these only
        limit = float(found[2].replace("_", ""))
        if not math.isfinite(limit):
            raise ConstraintError(
                f"constraint on {metric!r}: the limit is a finite number, got {text!r}",
                constraint=f"{metric} {text}",
            )
        parsed.append(Constraint(metric=metric, relation=relation, limit=limit, text=found.string))
    return tuple(parsed)


def total_violation(constraints: tuple[Constraint, ...], metrics: Mapping[str, float]) -> float:
    """The sum of relative violations, finite; a metric that is missing counts as one whole."""
    total = 0.0
    for constraint in constraints:
        value = metrics.get(constraint.metric)
        total += 1.0 if value is None else constraint.violation(value)
    return min(total, sys.float_info.max)
