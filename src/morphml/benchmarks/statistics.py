"""Means with intervals, and a rank test for pairs, without a statistics package."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()
#: Student's t at 97.5 % for 1 to 5 degrees of freedom, where the expansion below is too coarse.
_FEW = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % confidence interval."""

    mean: float
    #: Half the interval's width (Student's t); infinite for a single value.
    half: float

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half


def interval(values: Sequence[float]) -> Interval:
    """The mean of at least one value; of paired differences it is the paired interval."""
    count = len(values)
    mean = math.fsum(values) / count
    if count == 1:
        return Interval(mean, math.inf)
    if not math.isfinite(mean):
        return Interval(mean, math.inf)
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    return Interval(mean, student(count - 1) * math.sqrt(variance / count))


def student(freedom: int) -> float:
    """Student's t at 97.5 %, right to 0.003.

    Args:
        freedom: degrees of freedom, >= 1.

    Source: Abramowitz and Stegun, 1964, 26.7.5 (expansion in the normal quantile).
    """
    if freedom <= len(_FEW):
        return _FEW[freedom - 1]
    x = _NORMAL.inv_cdf(0.975)
    first = (x**3 + x) / 4
    second = (5 * x**5 + 16 * x**3 + 3 * x) / 96
    third = (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384
    return x + first / freedom + second / freedom**2 + third / freedom**3


def signed_rank(differences: Sequence[float]) -> float:
    """The two-sided p-value that paired differences are symmetric about 0.

    Differences of 0 are left out, equal sizes share their mean rank, and the rank sum is compared
    with the normal distribution of its variance, corrected for ties; fit from about 10 pairs on.

    Args:
        differences: one for each pair; 1.0 comes back where all of them are 0.

    Source: Wilcoxon, 1945; the variance with ties is Lehmann's (1975).
    """
    kept = [difference for difference in differences if difference != 0]
    count = len(kept)
    if not count:
        return 1.0
    ranks, ties = _mean_ranks([abs(difference) for difference in kept])
    above = math.fsum(r for r, difference in zip(ranks, kept, strict=True) if difference > 0)
    mean = count * (count + 1) / 4
    variance = count * (count + 1) * (2 * count + 1) / 24 - ties / 48
    if variance <= 0:
        return 1.0
    z = (above - mean) / math.sqrt(variance)
    return 2 * _NORMAL.cdf(-abs(z))


def _mean_ranks(sizes: Sequence[float]) -> tuple[list[float], int]:
    """Ranks from 1 on, equals share their mean; and the sum of t**3 - t over groups of t equals."""
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    ranks = [0.0] * len(sizes)
    ties = 0
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and sizes[order[end]] == sizes[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + 1 + end) / 2
        ties += (end - start) ** 3 - (end - start)
        start = end
    return ranks, ties


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for that many tests at once, in the order given.

    Source: Holm, 1979.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = highest
    return corrected
