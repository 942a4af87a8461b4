"""Points that were not tried before: random draws and mutants, in a bounded number of tries.

When all tries meet known points the last one is proposed anyway: the search answers it from what is
known, at no cost of budget.
"""

from __future__ import annotations

import numpy as np

from morphml.optimizers.seen_points import SeenPoints, point_key
from morphml.space import Architecture, SearchSpace

#: Random draws in a row, where the optimizer does not say how many.
DRAWS = 16
#: Mutations in a row, each of the last one's child: a walk away from where all is known.
STEPS = 8


def unseen_draw(
    space: SearchSpace, seen: SeenPoints, rng: np.random.Generator, draws: int = DRAWS
) -> Architecture:
    """A random member, unseen if one of ``draws`` is."""
    draw = space.sample(rng)
    for _ in range(draws - 1):
        if point_key(draw) not in seen:
            break
        draw = space.sample(rng)
    return draw


def unseen_mutant(
    space: SearchSpace, parent: Architecture, seen: SeenPoints, rng: np.random.Generator
) -> Architecture:
    """A mutant of ``parent``; a known one is mutated again, ``STEPS`` times at most."""
    return unseen_walk(space, space.mutate(parent, rng), seen, rng)


def unseen_walk(
    space: SearchSpace, child: Architecture, seen: SeenPoints, rng: np.random.Generator
) -> Architecture:
    """``child`` if it is unseen, else a mutant of it, and so on, ``STEPS`` times at most."""
    for _ in range(STEPS):
        if point_key(child) not in seen:
            break
        last, child = child, space.mutate(child, rng)
        if child is last:  # the space has no other member
            break
    return child
