"""How promising a candidate is, from what a model predicts for it: one function per rule.

All are maximised; predictions are of targets that are minimised.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
#: (means, deviations, best target so far, generator) -> scores, shape (n,).
Acquisition: TypeAlias = Callable[[Floats, Floats, float, np.random.Generator], Floats]

#: Deviations that the upper confidence bound adds.
_CONFIDENCE = 1.0


def expected_improvement(
    means: Floats, deviations: Floats, best: float, rng: np.random.Generator
) -> Floats:
    """By how much it beats the best, on average (Jones et al., 1998, equation 15)."""
    z = (best - means) / deviations
    return deviations * (z * _cumulative(z) + np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi))


def probability_of_improvement(
    means: Floats, deviations: Floats, best: float, rng: np.random.Generator
) -> Floats:
    """How likely it beats the best at all (Kushner, 1964)."""
    return _cumulative((best - means) / deviations)


def upper_confidence_bound(
    means: Floats, deviations: Floats, best: float, rng: np.random.Generator
) -> Floats:
    """How good it may well be (Srinivas et al., 2010), one deviation better than predicted."""
    return _CONFIDENCE * deviations - means


def thompson(means: Floats, deviations: Floats, best: float, rng: np.random.Generator) -> Floats:
    """A draw from each prediction by itself (independent Thompson sampling, White et al., 2021)."""
    return -(means + deviations * rng.standard_normal(len(means)))


def _cumulative(z: Floats) -> Floats:
    """The normal distribution function."""
    return np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in z.tolist()])


#: Every rule by the name used in settings.
ACQUISITIONS: Mapping[str, Acquisition] = {
    "ei": expected_improvement,
    "pi": probability_of_improvement,
    "ucb": upper_confidence_bound,
    "thompson": thompson,
}
