"""How a genetic algorithm picks parents: one function per way, all over members sorted best first.

Each returns a position in that order, so 0 is the best member.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from morphml.optimizers.population import Member

#: (members best first, tournament size, generator) -> a position.
Selection: TypeAlias = Callable[[Sequence[Member], int, np.random.Generator], int]


def tournament(members: Sequence[Member], size: int, rng: np.random.Generator) -> int:
    """The best of ``size`` positions drawn with replacement; O(size)."""
    return int(rng.integers(len(members), size=size).min())


def rank(members: Sequence[Member], size: int, rng: np.random.Generator) -> int:
    """A draw whose chance falls linearly from 2/n for the best to 0 (Baker, 1985); O(1).

    The square root of a uniform number has a density that rises linearly.
    """
    n = len(members)
    return min(int(n * (1.0 - np.sqrt(rng.random()))), n - 1)


def roulette(members: Sequence[Member], size: int, rng: np.random.Generator) -> int:
    """A draw with chances in proportion to what each member is better than the worst; O(n).

    Half of the mean is added to every share, so that the worst keeps a chance and equal members
    are drawn alike. Only a single feasible objective has such shares; members with violations or
    several objectives are drawn by ``rank``.
    """
    if len(members[0].result.values) > 1 or any(m.result.violation for m in members):
        return rank(members, size, rng)
    values = np.array([member.result.values[0] for member in members])
    shares = _shares(values)
    upto = np.cumsum(shares)
    position = int(np.searchsorted(upto, rng.random() * upto[-1], side="right"))
    return min(position, len(members) - 1)


def _shares(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # Scaled first, so that differences of extreme values do not overflow.
    scaled = values / (float(np.abs(values).max()) or 1.0)
    gains = scaled.max() - scaled
    mean = float(gains.mean())
    return gains / mean + 0.5 if mean > 0 else np.ones_like(values)


#: Every way, by the name used in settings.
SELECTIONS: Mapping[str, Selection] = {
    "tournament": tournament,
    "rank": rank,
    "roulette": roulette,
}
