"""How many slots each of several experiments may use at once: max-min fairness by weight.

Slots that one experiment does not want go to those that do (water-filling; Bertsekas and Gallager,
Data Networks, 6.5.2), so nothing idles while somebody wants it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

Key = TypeVar("Key", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one experiment asks for."""

    #: Its part relative to the others, > 0: weight 2 gets twice as much as weight 1.
    weight: float = 1.0
    #: Slots that it could fill at once, >= 0.
    wanted: int


def fair_shares(slots: int, demands: Mapping[Key, Demand]) -> dict[Key, int]:
    """Whole slots for each experiment; they add up to ``min(slots, all that is wanted)``.

    Args:
        slots: how many there are, >= 0.
        demands: by experiment; equal claims to the last slot go to the smaller key.

    Cost: O(n^2 log n) for n experiments.
    """
    shares = dict.fromkeys(demands, 0)
    left = slots
    hungry = [key for key, demand in demands.items() if demand.wanted > 0]
    while hungry and left > 0:
        granted = _one_round(left, hungry, {key: demands[key].weight for key in hungry})
        for key, part in granted.items():
            taken = min(part, demands[key].wanted - shares[key])
            shares[key] += taken
            left -= taken
        hungry = [key for key in hungry if shares[key] < demands[key].wanted]
    return shares


def _one_round(slots: int, keys: list[Key], weights: Mapping[Key, float]) -> dict[Key, int]:
    """All slots by weight, in whole numbers by largest remainder."""
    total = sum(weights.values())
    exact = {key: slots * weights[key] / total for key in keys}
    parts = {key: int(exact[key]) for key in keys}
    rest = slots - sum(parts.values())
    by_remainder = sorted(keys, key=lambda key: (parts[key] - exact[key], key))
    for key in by_remainder[:rest]:
        parts[key] += 1
    return parts
