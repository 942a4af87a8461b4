"""How a genetic algorithm joins two parents: one function per way, over any space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from morphml.space import Architecture, SearchSpace

#: (space, parent, other parent, generator) -> a member; a parent where no other is found.
Crossover: TypeAlias = Callable[
    [SearchSpace, Architecture, Architecture, np.random.Generator], Architecture
]

#: Cuts that are tried to find a child that differs from its parents and keeps the constraints.
CUTS = 8


def uniform(
    space: SearchSpace, one: Architecture, other: Architecture, rng: np.random.Generator
) -> Architecture:
    """Each decision from either parent with the same chance (Syswerda, 1989)."""
    return space.crossover(one, other, rng)


def one_point(
    space: SearchSpace, one: Architecture, other: Architecture, rng: np.random.Generator
) -> Architecture:
    """The decisions before a random cut from one parent, the others from the other (Holland, 1975).

    Neighbouring decisions, such as those of one layer, stay together. A decision that is active in
    one parent only comes from that one.
    """
    places, others = space.encode(one), space.encode(other)
    absent = np.array([code is None for code in one.vector])
    lacking = np.array([code is None for code in other.vector])
    index = np.arange(len(places))
    for _ in range(CUTS):
        first = ((index < rng.integers(1, max(2, len(places)))) & ~absent) | lacking
        child = space.decode(np.where(first, places, others))
        if child.vector not in (one.vector, other.vector) and space.contains(child).ok:
            return child
    return one


def joined(
    space: SearchSpace,
    cross: Crossover,
    parents: tuple[Architecture, Architecture],
    mutation_rate: float,
    rng: np.random.Generator,
) -> Architecture:
    """A child of two; mutated with the chance given, and always where it copies a parent."""
    child = cross(space, *parents, rng)
    copied = child.vector in (parents[0].vector, parents[1].vector)
    if copied or rng.random() < mutation_rate:
        child = space.mutate(child, rng)
    return child


#: Every way, by the name used in settings.
CROSSOVERS: Mapping[str, Crossover] = {"uniform": uniform, "one_point": one_point}
