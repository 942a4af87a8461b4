"""Members that a model is asked about: mutants of the best, mutants of those, and random draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from morphml.optimizers.population import Member, parents_of
from morphml.optimizers.seen_points import SeenPoints, point_key
from morphml.space import Architecture, SearchSpace
from morphml.space.decisions import Vector

#: Best members whose mutants are tried, and mutants of each.
PARENTS = 5
MUTANTS = 36
#: Mutants of mutants of the best ten, and random draws.
SECOND = 30
DRAWS = 50

#: An unseen member, and the number of the one that it was made from.
Candidate = tuple[Architecture, tuple[int, ...]]


class Candidates:
    """Offers members of one space.

    Where a member has ``MUTANTS`` neighbours at most, mutants of the best are all their neighbours,
    else ``MUTANTS`` drawn ones.

    Args:
        space: whose members.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._few = _neighbours(space) <= MUTANTS
        #: Neighbours with their keys of those that were among the best at the last ask.
        self._near: dict[Vector, list[tuple[bytes, Architecture]]] = {}

    def __call__(
        self, best: Sequence[Member], seen: SeenPoints, rng: np.random.Generator
    ) -> list[Candidate]:
        """Unseen members, each once; may be none. Cost: some 260 mutations and draws, or 110.

        Args:
            best: known members, best first.
            seen: what was tried before.
            rng: drawn from.
        """
        found: dict[bytes, Candidate] = {}
        self._near = {m.architecture.vector: self._around(m, rng) for m in best[:PARENTS]}
        for parent in best[:PARENTS]:
            parents = parents_of(parent)
            for key, child in self._near[parent.architecture.vector]:
                if key not in seen and key not in found:
                    found[key] = child, parents
        for child, parents in self._far(best, rng):
            key = point_key(child)
            if key not in seen and key not in found:
                found[key] = child, parents
        return list(found.values())

    def _far(self, best: Sequence[Member], rng: np.random.Generator) -> Iterator[Candidate]:
        """Mutants of mutants, and random draws."""
        space = self._space
        for _ in range(SECOND if best else 0):
            parent = best[int(rng.integers(min(2 * PARENTS, len(best))))]
            child = space.mutate(space.mutate(parent.architecture, rng), rng)
            yield child, parents_of(parent)
        for _ in range(DRAWS):
            yield space.sample(rng), ()

    def _around(self, parent: Member, rng: np.random.Generator) -> list[tuple[bytes, Architecture]]:
        """Members that differ in one decision, with their keys."""
        if not self._few:
            made = (self._space.mutate(parent.architecture, rng) for _ in range(MUTANTS))
            return [(point_key(child), child) for child in made]
        known = self._near.get(parent.architecture.vector)
        if known is not None:
            return known
        return [(point_key(n), n) for n in self._space.neighbours(parent.architecture)]


def _neighbours(space: SearchSpace) -> float:
    """How many a member has; infinite where a change draws what depends on it, or a number."""
    plain = all(not d.condition and not d.dependent for d in space.decisions)
    values = [d.cardinality for d in space.decisions]
    if not plain or None in values:
        return float("inf")
    return sum(count - 1 for count in values if count is not None)
