"""Which of two results is better: by constraint violation, then by values or by dominance.

A failed trial has no result and stands behind all that have one; callers keep it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Result(NamedTuple):
    """How a trial came out. As tuples, results of one objective sort from best to worst."""

    #: Sum of what the constraints are exceeded by, >= 0; 0 is feasible.
    violation: float
    #: Minimised, one per objective.
    values: tuple[float, ...]


def better(a: Result, b: Result) -> bool:
    """Whether ``a`` is strictly better: violates less, or as much and dominates.

    With one objective dominance is "smaller". Constrained dominance as in Deb et al. 2002, NSGA-II,
    section VI.
    """
    if a.violation != b.violation:
        return a.violation < b.violation
    if len(a.values) == 1:
        return a.values < b.values
    return a.values != b.values and all(x <= y for x, y in zip(a.values, b.values, strict=True))


def best_first(results: Sequence[Result]) -> list[int]:
    """Positions of ``results`` from best to worst; equal ones keep their order.

    One objective: by (violation, value), O(n log n). Several: by non-dominated front, and within a
    front by falling crowding distance (NSGA-II), O(n^2 m).
    """
    if not results or len(results[0].values) == 1:
        return sorted(range(len(results)), key=results.__getitem__)
    fronts = front_numbers(results)
    crowding = crowding_distances(np.array([r.values for r in results]), fronts)
    keys = list(zip(fronts.tolist(), (-crowding).tolist(), strict=True))
    return sorted(range(len(results)), key=keys.__getitem__)


def front_numbers(results: Sequence[Result]) -> npt.NDArray[np.int64]:
    """Shape (n,): 0 for the results that no other one dominates, 1 without those, and so on."""
    if not results:
        return np.empty(0, dtype=np.int64)
    beaten_by = _dominance(results)
    fronts = np.full(len(results), -1, dtype=np.int64)
    number = 0
    while (left := fronts < 0).any():
        front = left & ~(beaten_by[:, left].any(axis=1))
        fronts[front] = number
        number += 1
    return fronts


def crowding_distances(values: Floats, fronts: npt.NDArray[np.int64]) -> Floats:
    """Shape (n,): how lonely each result is in its front; infinite at the ends of an objective.

    Args:
        values: shape (n, m).
        fronts: shape (n,); distances are counted within equal numbers (Deb et al. 2002, III.B).
    """
    distances = np.zeros(len(values))
    for number in range(int(fronts.max(initial=-1)) + 1):
        members = np.flatnonzero(fronts == number)
        for column in values[members].T:
            order = np.argsort(column, kind="stable")
            ends = members[order[[0, -1]]]
            width = column[order[-1]] - column[order[0]]
            distances[ends] = np.inf
            if width > 0 and len(members) > 2:
                gaps = (column[order[2:]] - column[order[:-2]]) / width
                distances[members[order[1:-1]]] += gaps
    return distances


def _dominance(results: Sequence[Result]) -> npt.NDArray[np.bool_]:
    """Shape (n, n): at [i, j] whether result j is better than result i, as ``better`` says."""
    violation = np.array([r.violation for r in results])
    values = np.array([r.values for r in results])
    no_worse = (values[None, :, :] <= values[:, None, :]).all(axis=2)
    smaller = (values[None, :, :] < values[:, None, :]).any(axis=2)
    same = violation[None, :] == violation[:, None]
    less = violation[None, :] < violation[:, None]
    dominated: npt.NDArray[np.bool_] = less | (same & no_worse & smaller)
    return dominated
