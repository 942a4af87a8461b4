"""Quasi-random search: points that fill the encoding more evenly than chance (Halton, 1960).

The k-th proposal is the k-th point of a scrambled Halton sequence: the digits of k in the base of
each decision's prime, put through a permutation (Braaten and Weller, 1979), since without it primes
near each other give stripes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import JSON, Answered, Asked, Event, Rejected
from morphml.optimizers.settings import NoSettings, read_settings
from morphml.space import SearchSpace

#: Where each digit of one base goes.
Digits: TypeAlias = npt.NDArray[np.int64]


class QuasiRandom:
    """Proposes the points of one sequence, whatever comes of them.

    The first proposal draws the permutations and says in its note which they are. A point that
    breaks the space's constraints is replaced by a random draw.
    """

    name: str = "quasi_random"
    version: int = 1

    def __init__(self, space: SearchSpace, **settings: JSON) -> None:
        """An optimizer at the start; there are no settings."""
        read_settings(NoSettings, self.name, settings)
        self.space = space
        self._primes = _primes(len(space.decisions))
        self._digits: list[Digits] | None = None
        #: Proposals taken, answered or rejected so far.
        self._made = 0

    @property
    def settings(self) -> Mapping[str, JSON]:
        """There are none."""
        return {}

    def ask(self, number: int, rng: np.random.Generator) -> Proposal:
        """The next point; O(decisions x log number)."""
        note, digits = None, self._digits
        if digits is None:
            scramble = int(rng.integers(2**31))
            note, digits = {"scramble": scramble}, _permutations(self._primes, scramble)
        place = [_radical_inverse(self._made + 1, each) for each in digits]
        architecture = self.space.decode(place)
        if not self.space.contains(architecture).ok:
            architecture = self.space.sample(rng)
        return Proposal(architecture=architecture, note=note)

    def observe(self, event: Event) -> None:
        """Go on by one point when a proposal was used; O(1)."""
        if isinstance(event, Asked | Answered | Rejected):
            self._made += 1
        if isinstance(event, Asked) and event.note is not None and self._digits is None:
            scramble = event.note.get("scramble")
            if isinstance(scramble, int):
                self._digits = _permutations(self._primes, scramble)


def _radical_inverse(index: int, digits: Digits) -> float:
    """The digits of ``index``, permuted, behind the point: in [0, 1)."""
    base = len(digits)
    value, unit = 0.0, 1.0 / base
    while index:
        index, digit = divmod(index, base)
        value += float(digits[digit]) * unit
        unit /= base
    return value


def _permutations(primes: Sequence[int], scramble: int) -> list[Digits]:
    """Of the digits in each base; 0 stays, or endless zeros in front of a number would count."""
    rng = np.random.default_rng(scramble)
    return [np.concatenate([[0], 1 + rng.permutation(prime - 1)]) for prime in primes]


def _primes(count: int) -> list[int]:
    """The first ``count`` primes."""
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found if prime * prime <= candidate):
            found.append(candidate)
        candidate += 1
    return found
