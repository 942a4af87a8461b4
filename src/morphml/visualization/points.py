"""What a picture of a search is drawn from: plain values, apart from any store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from morphml.search.objectives import Direction, Objective, best_first, undominated
from morphml.search.standing import precedence

DecisionValue: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPoint:
    """One ended trial as pictures and reports see it."""

    #: A number below 0 is a result reused from another experiment.
    number: int
    #: A ``TrialState`` word, such as ``completed`` or ``failed``, or ``reused``.
    state: str = "completed"
    #: Metric name to value; empty where the trial gave none.
    metrics: Mapping[str, float] = field(default_factory=dict)
    #: Path of each active decision to its value; blocks are shown by their text form.
    decisions: Mapping[str, DecisionValue] = field(default_factory=dict)
    #: Seconds from the start of the search to the end of this trial, or None when unknown.
    ended_s: float | None = None
    #: Seconds that the evaluator ran.
    duration_s: float = 0.0
    #: Whether every constraint holds.
    feasible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BestStep:
    """A trial that was better than all before it."""

    number: int
    ended_s: float | None
    value: float


def scored(points: Sequence[TrialPoint], objectives: Sequence[Objective]) -> list[TrialPoint]:
    """The points that have a value for every objective, in the order given."""
    return [p for p in points if all(o.name in p.metrics for o in objectives)]


def in_order_of_end(points: Sequence[TrialPoint]) -> list[TrialPoint]:
    """The points as they ended; those without a time come by number."""
    return sorted(points, key=lambda p: (p.ended_s if p.ended_s is not None else 0.0, p.number))


def best_steps(points: Sequence[TrialPoint], objective: Objective) -> list[BestStep]:
    """Each improvement of ``objective`` among feasible points, in order of end; O(n log n)."""
    steps: list[BestStep] = []
    for point in in_order_of_end(scored(points, [objective])):
        value = point.metrics[objective.name]
        better = not steps or objective.minimised(value) < objective.minimised(steps[-1].value)
        if point.feasible and better:
            steps.append(BestStep(number=point.number, ended_s=point.ended_s, value=value))
    return steps


def ranked(points: Sequence[TrialPoint], *objectives: Objective) -> list[TrialPoint]:
    """Scored points from best to worst by the first objective, feasible ones first.

    Of equals those come first that no equal one dominates in the other objectives, then by number.
    """
    by_number = sorted(scored(points, objectives), key=lambda p: precedence(p.number))
    feasible = [p for p in by_number if p.feasible]
    infeasible = [p for p in by_number if not p.feasible]
    return [
        group[position]
        for group in (feasible, infeasible)
        for position in best_first(_signed(group, objectives))
    ]


def pareto_front(points: Sequence[TrialPoint], objectives: Sequence[Objective]) -> list[TrialPoint]:
    """Feasible points that no other feasible point dominates, by the first objective, best first.

    A point dominates another when it is at least as good in all objectives and better in one; of
    equal points all stay. O(n f) for n points and f points of the front.
    """
    candidates = [p for p in scored(points, objectives) if p.feasible]
    candidates.sort(key=lambda p: precedence(p.number))
    return [candidates[position] for position in undominated(_signed(candidates, objectives))]


def _signed(
    points: Sequence[TrialPoint], objectives: Sequence[Objective]
) -> list[tuple[float, ...]]:
    return [tuple(o.minimised(p.metrics[o.name]) for o in objectives) for p in points]


def trial_text(number: int) -> str:
    """``trial 3``, or ``reused result 1`` for -1."""
    return f"trial {number}" if number >= 0 else f"reused result {-number}"


def metric_label(objective: Objective) -> str:
    """An axis label: name, unit where it is known, and which way is better."""
    unit = {"params": "parameters", "flops": "FLOPs", "activation_bytes": "bytes"}
    better = "higher is better" if objective.direction is Direction.MAX else "lower is better"
    known = objective.unit or unit.get(objective.name)
    return f"{objective.name} ({f'{known}, ' if known else ''}{better})"
