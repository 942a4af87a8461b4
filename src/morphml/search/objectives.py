"""What is optimised, and the sign it has inside an optimizer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from morphml.errors import ExperimentError
from morphml.search.given import check_name

#: Metrics counted on the canonical graph; known before training, never returned by an evaluator.
COMPUTED_METRICS = ("params", "flops", "activation_bytes")
_FORM = re.compile(r"(min|max)(?: +([^\s\x00-\x1f<>&\"']{1,16}))?")


class Direction(StrEnum):
    """Which way is better."""

    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One metric to minimise or maximise."""

    #: Name of the metric, as the evaluator returns it, or one of ``COMPUTED_METRICS``.
    name: str
    #: Which way is better.
    direction: Direction
    #: What values are measured in, such as ``ms``; shown, never converted.
    unit: str = ""

    @classmethod
    def parse(cls, name: str, text: object) -> Objective:
        """The objective of that metric.

        Args:
            name: of the metric.
            text: ``min`` or ``max``, and behind it the unit if there is one, such as ``min ms``.

        Raises:
            ExperimentError: it is something else.
        """
        check_name("objectives", name)
        found = _FORM.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ExperimentError(
                f"objectives: {name!r} is to be 'min' or 'max', got {text!r}; a unit of up to 16 "
                "characters may follow, such as 'min ms'"
            )
        return cls(name=name, direction=Direction(found[1]), unit=found[2] or "")

    @property
    def text(self) -> str:
        """Direction and unit, as ``parse`` reads them."""
        return f"{self.direction} {self.unit}".rstrip()

    @property
    def computed(self) -> bool:
        """Whether the value is counted on the graph rather than returned by the evaluator."""
        return self.name in COMPUTED_METRICS

    def minimised(self, value: float) -> float:
        """The value as optimizers see it: smaller is better. Its own inverse."""
        return -value if self.direction is Direction.MAX else value


def parse_objectives(objectives: Mapping[str, str] | Sequence[str]) -> tuple[Objective, ...]:
    """The objectives in the order given; the first one is the fitness.

    Args:
        objectives: metric name to ``"min"`` or ``"max"``, with a unit such as ``"min ms"`` where it
            has one; a sequence of names means ``"max"``.

    Raises:
        ExperimentError: when there is none, a direction is another word, or it is something else.
    """
    if isinstance(objectives, Mapping):
        pairs = list(objectives.items())
    else:
        pairs = [(name, "max") for name in _names(objectives)]
    if not pairs:
        raise ExperimentError("objectives: at least one is needed, such as {'accuracy': 'max'}")
    return tuple(Objective.parse(name, text) for name, text in pairs)


def _names(objectives: object) -> list[str]:
    if isinstance(objectives, Sequence) and not isinstance(objectives, str):
        return list(objectives)
    raise ExperimentError(
        f"objectives: metric names and directions such as {{'accuracy': 'max'}}, got {objectives!r}"
    )


def minimised_values(
    objectives: Sequence[Objective], metrics: Mapping[str, float]
) -> tuple[float, ...]:
    """The objective values of one result, in order and sign of the optimizers.

    Raises:
        ExperimentError: when a metric is missing or not finite; evaluators are checked before this.
    """
    values = []
    for objective in objectives:
        value = metrics.get(objective.name)
        if value is None or not math.isfinite(value):
            raise ExperimentError(
                f"objective {objective.name!r} has no finite value; metrics: {dict(metrics)}"
            )
        values.append(objective.minimised(value))
    return tuple(values)


def dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether ``a`` is nowhere worse than ``b`` and somewhere better (both minimised)."""
    return all(x <= y for x, y in zip(a, b, strict=True)) and any(
        x < y for x, y in zip(a, b, strict=True)
    )


def undominated(values: Sequence[tuple[float, ...]]) -> list[int]:
    """Positions of the values that none other dominates, in lexicographic order of the values.

    Of equals all stay. O(n log n + n f) for n values (all minimised) and f that stay.
    """
    front: list[int] = []
    # In lexicographic order, whatever could dominate a value stands before it.
    for position in sorted(range(len(values)), key=values.__getitem__):
        if not any(dominates(values[other], values[position]) for other in front):
            front.append(position)
    return front


def best_first(values: Sequence[tuple[float, ...]]) -> list[int]:
    """Positions of the values (all minimised) from best to worst by the first objective.

    Of equals those come first that no equal one dominates, then the order given decides.
    """
    order = sorted(range(len(values)), key=lambda position: values[position][0])
    ranked: list[int] = []
    for _, tied in groupby(order, key=lambda position: values[position][0]):
        equals = list(tied)
        kept = {equals[k] for k in undominated([values[position] for position in equals])}
        ranked += sorted(equals, key=lambda position: position not in kept)
    return ranked
