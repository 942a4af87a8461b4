"""How a genetic algorithm joins two parents: one function per way, over any space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from morphml.space import Architecture, SearchSpace

#: Which decisions come from the first parent, shape (decisions,).
Places: TypeAlias = npt.NDArray[np.bool_]
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
    index = np.arange(len(space.decisions))

    def cut() -> Places:
        before: Places = index < rng.integers(1, max(2, len(index)))
        return before

    return _spliced(space, one, other, cut)


def subgraph(
    space: SearchSpace, one: Architecture, other: Architecture, rng: np.random.Generator
) -> Architecture:
    """One block of the network from the other parent, all around it from one (Koza, 1992).

    A block is what lies below one place of the space's paths, such as ``body/0`` or a cell, down to
    a single decision. It is drawn from those in which some, but not all, decisions lie that are
    active in both parents and differ.
    """
    paths = [decision.path for decision in space.decisions]
    pairs = zip(one.vector, other.vector, strict=True)
    apart = np.array([a != b and None not in (a, b) for a, b in pairs])
    blocks = [block for block in _blocks(paths) if 0 < apart[block].sum() < apart.sum()]
    if not blocks:
        return one

    def cut() -> Places:
        kept = np.ones(len(paths), dtype=np.bool_)
        kept[blocks[int(rng.integers(len(blocks)))]] = False
        return kept

    return _spliced(space, one, other, cut)


def _blocks(paths: Sequence[str]) -> list[list[int]]:
    """The places below each part of the paths."""
    below: dict[str, list[int]] = {}
    for place, path in enumerate(paths):
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            below.setdefault("/".join(parts[:depth]), []).append(place)
    return list(below.values())


def _spliced(
    space: SearchSpace, one: Architecture, other: Architecture, cut: Callable[[], Places]
) -> Architecture:
    """A child that differs from both and keeps the constraints; ``one`` where none is found.

    Args:
        space: of the parents.
        one: gives what ``cut`` says.
        other: gives the rest. A decision that is active in one parent only comes from that one.
        cut: draws which decisions, ``CUTS`` times at most.
    """
    places, others = space.encode(one), space.encode(other)
    absent = np.array([code is None for code in one.vector])
    lacking = np.array([code is None for code in other.vector])
    for _ in range(CUTS):
        first = (cut() & ~absent) | lacking
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
CROSSOVERS: Mapping[str, Crossover] = {
    "uniform": uniform,
    "one_point": one_point,
    "subgraph": subgraph,
}
