"""What is optimised, and the sign it has inside an optimizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from morphml.errors import ExperimentError
from morphml.search.given import check_name

#: Metrics counted on the canonical graph; known before training, never returned by an evaluator.
COMPUTED_METRICS = ("params", "flops", "activation_bytes")


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
        objectives: metric name to ``"min"`` or ``"max"``; a sequence of names means ``"max"``.

    Raises:
        ExperimentError: when there is none, a direction is another word, or it is something else.
    """
    if isinstance(objectives, Mapping):
        pairs = list(objectives.items())
    else:
        pairs = [(name, "max") for name in _names(objectives)]
    if not pairs:
        raise ExperimentError("objectives: at least one is needed, such as {'accuracy': 'max'}")
    parsed = []
    for name, word in pairs:
        check_name("objectives", name)
        try:
            direction = Direction(word)
        except ValueError:
            raise ExperimentError(
                f"objectives: {name!r} is to be 'min' or 'max', got {word!r}"
            ) from None
        parsed.append(Objective(name=name, direction=direction))
    return tuple(parsed)


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
