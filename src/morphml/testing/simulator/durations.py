"""How long tasks take on a worker of speed 1: the distributions that workloads are drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from morphml.errors import CallerError

Seconds = npt.NDArray[np.float64]


class Durations(Protocol):
    """A distribution of durations."""

    @property
    def mean_s(self) -> float:
        """Expected seconds, > 0."""
        ...

    def draw(self, rng: np.random.Generator, count: int) -> Seconds:
        """``(count,)`` durations in seconds, each > 0."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Every task takes the same time."""

    #: Seconds, > 0.
    mean_s: float

    def draw(self, rng: np.random.Generator, count: int) -> Seconds:
        """``count`` times the same."""
        del rng
        return np.full(count, self.mean_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform:
    """Any time between two bounds is as likely as any other."""

    low_s: float
    high_s: float

    @property
    def mean_s(self) -> float:
        """The middle."""
        return (self.low_s + self.high_s) / 2

    def draw(self, rng: np.random.Generator, count: int) -> Seconds:
        """Uniform in [low, high)."""
        return rng.uniform(self.low_s, self.high_s, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormal:
    """Times that differ by factors, as training times of architectures do."""

    #: Seconds, > 0.
    mean_s: float
    #: Standard deviation over mean, >= 0.
    spread: float

    def draw(self, rng: np.random.Generator, count: int) -> Seconds:
        """Log-normal with this mean."""
        variance = math.log1p(self.spread**2)
        return rng.lognormal(math.log(self.mean_s) - variance / 2, math.sqrt(variance), count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pareto:
    """A heavy tail: a few tasks take most of the time. Cut off at ``longest`` times the mean."""

    #: Seconds of the distribution before it is cut, > 0.
    mean_s: float
    #: Tail index, > 1; the smaller, the heavier. At 2 and below the variance grows with the cut.
    alpha: float = 1.5
    #: No duration is longer than so many means.
    longest: float = 50.0

    def draw(self, rng: np.random.Generator, count: int) -> Seconds:
        """Pareto of type I."""
        shortest = self.mean_s * (self.alpha - 1) / self.alpha
        drawn = shortest * (1.0 + rng.pareto(self.alpha, count))
        return np.minimum(drawn, self.longest * self.mean_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Times that were measured, such as those of a finished experiment.

    As many as were measured are drawn in another order; any other number with replacement.
    """

    seconds: tuple[float, ...]
    #: Whether they come in this order, from the first on again when there are more tasks.
    ordered: bool = False

    def __post_init__(self) -> None:
        if not self.seconds or not all(0 < each < math.inf for each in self.seconds):
            raise CallerError(
                f"measured durations are seconds > 0, at least one; got {len(self.seconds)}, "
                f"the least of them {min(self.seconds, default=None)}"
            )

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Measured:
        """The durations that took any time at all.

        Raises:
            CallerError: none of them did.
        """
        return cls(seconds=tuple(each for each in seconds if each > 0))

    @property
    def mean_s(self) -> float:
        """Mean of what was measured."""
        return sum(self.seconds) / len(self.seconds)

    def draw(self, rng: np.random.Generator, count: int) -> Seconds:
        """As they stand, a permutation, or draws with replacement."""
        known = np.asarray(self.seconds)
        if self.ordered:
            return np.resize(known, count)
        if count == len(known):
            return rng.permutation(known)
        return rng.choice(known, count)
