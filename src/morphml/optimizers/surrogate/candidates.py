"""Members that a model is asked about: mutants of the best, mutants of those, and random draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morphml.optimizers.population import Member, parents_of
from morphml.optimizers.seen_points import SeenPoints, point_key
from morphml.space import Architecture, SearchSpace

#: Best members whose mutants are tried, and mutants of each.
PARENTS = 5
MUTANTS = 36
#: Mutants of mutants of the best ten, and random draws.
SECOND = 30
DRAWS = 50


def candidates(
    space: SearchSpace,
    best: Sequence[Member],
    seen: SeenPoints,
    rng: np.random.Generator,
) -> list[tuple[Architecture, tuple[int, ...]]]:
    """Unseen members, each with the number of the one that it was made from; may be empty.

    Cost: some 260 mutations and draws.

    Args:
        space: whose members.
        best: known members, best first.
        seen: what was tried before.
        rng: drawn from.
    """
    found: dict[bytes, tuple[Architecture, tuple[int, ...]]] = {}

    def offer(child: Architecture, *parents: Member) -> None:
        key = point_key(child)
        if key not in seen:
            found.setdefault(key, (child, parents_of(*parents)))

    for parent in best[:PARENTS]:
        for _ in range(MUTANTS):
            offer(space.mutate(parent.architecture, rng), parent)
    for _ in range(SECOND if best else 0):
        parent = best[int(rng.integers(min(2 * PARENTS, len(best))))]
        offer(space.mutate(space.mutate(parent.architecture, rng), rng), parent)
    for _ in range(DRAWS):
        offer(space.sample(rng))
    return list(found.values())
