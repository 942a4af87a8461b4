"""Quasi-random search: points that fill the encoding more evenly than chance (Halton, 1960).

The k-th proposal is the k-th point of a scrambled Halton sequence: the digits of k in the base of
each decision's prime, put through a permutation (Braaten and Weller, 1979), since without it primes
near each other give stripes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import JSON, Answered, Asked, Event, Rejected
from morphml.optimizers.settings import read_settings, require_least, write_settings
from morphml.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class QuasiRandomSettings:
    """Settings of quasi-random search."""

    #: Which permutations scramble the digits, >= 0; another number is another sequence.
    scramble: int = 0

    def __post_init__(self) -> None:
        """Check the range."""
        require_least("quasi_random", "scramble", self.scramble, 0)


class QuasiRandom:
    """Proposes the points of one sequence, whatever comes of them.

    A point that breaks the space's constraints is replaced by a random draw.
    """

    name: str = "quasi_random"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer at the start; ``settings`` are those of ``QuasiRandomSettings``."""
        self.space = space
        self._settings = read_settings(QuasiRandomSettings, self.name, settings)
        rng = np.random.default_rng(self._settings.scramble)
        self._digits = [_permutation(prime, rng) for prime in _primes(len(space.decisions))]
        #: Proposals taken, answered or rejected so far.
        self._made = 0

    @property
    def settings(self) -> Mapping[str, JSON]:
        """The values in force."""
        return write_settings(self._settings)

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """The next point; O(decisions x log number)."""
        place = [_radical_inverse(self._made + 1, digits) for digits in self._digits]
        architecture = self.space.decode(place)
        if not self.space.contains(architecture).ok:
            architecture = self.space.sample(rng)
        return Proposal(architecture=architecture)

    def observe(self, event: Event) -> None:
        """Go on by one point when a proposal was used; O(1)."""
        if isinstance(event, Asked | Answered | Rejected):
            self._made += 1


def _radical_inverse(index: int, digits: npt.NDArray[np.int64]) -> float:
    """The digits of ``index``, permuted, behind the point: in [0, 1)."""
    base = len(digits)
    value, unit = 0.0, 1.0 / base
    while index:
        index, digit = divmod(index, base)
        value += float(digits[digit]) * unit
        unit /= base
    return value


def _permutation(base: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Of the digits; 0 stays, or endless zeros in front of every number would count."""
    return np.concatenate([[0], 1 + rng.permutation(base - 1)])


def _primes(count: int) -> list[int]:
    """The first ``count`` primes."""
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found if prime * prime <= candidate):
            found.append(candidate)
        candidate += 1
    return found
