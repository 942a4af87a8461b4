"""What a model learns to predict: one number for each result, smaller is better."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from morphml.optimizers.pareto import Result

Floats = npt.NDArray[np.float64]

#: Added to the distance from the best, in units of the median distance, before the logarithm.
_SOFTEN = 0.1
#: Weight of the sum beside the maximum in the augmented Chebyshev norm (Knowles, 2006, ParEGO).
_RHO = 0.05


def targets(results: Sequence[Result], weights: Floats) -> Floats:
    """Shape (n,): mean 0 and deviation 1, smaller is better; violated constraints come last.

    The logarithm of the distance from the best result tells good ones apart, where otherwise a few
    very bad ones would set the scale; it does not change with the unit of the objective.

    Args:
        results: at least one.
        weights: shape (objectives,), >= 0; how several objectives become one (ParEGO).
    """
    single = _scalar(np.array([result.values for result in results]), weights)
    violations = np.array([result.violation for result in results])
    if violations.any():
        single = _behind(single, violations)
    away = single - single.min()
    scale = float(np.median(away)) or float(away.mean()) or 1.0
    logs = np.log(away / scale + _SOFTEN)
    deviation = float(logs.std())
    if deviation == 0.0:
        return np.zeros(len(logs))
    scaled: Floats = (logs - logs.mean()) / deviation
    return scaled


def even_weights(objectives: int) -> Floats:
    """Every objective alike."""
    return np.full(objectives, 1.0 / objectives)


def _scalar(values: Floats, weights: Floats) -> Floats:
    if values.shape[1] == 1:
        only: Floats = values[:, 0]
        return only
    low, high = values.min(axis=0), values.max(axis=0)
    scaled = (values - low) / np.where(high > low, high - low, 1.0)
    weighted = scaled * weights
    norm: Floats = weighted.max(axis=1) + _RHO * weighted.sum(axis=1)
    return norm


def _behind(single: Floats, violations: Floats) -> Floats:
    """Those that violate constraints behind all that do not, by how much they do."""
    feasible = violations == 0
    if not feasible.any():
        return violations
    worst, best = float(single[feasible].max()), float(single[feasible].min())
    width = (worst - best) or 1.0
    part = violations / violations.max()
    return np.where(feasible, single, worst + width * part)
