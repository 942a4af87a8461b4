"""Points that the search draws by itself when the optimizer repeats itself."""

from __future__ import annotations

from collections.abc import Iterator

from morphml.seeds import generator
from morphml.space import Architecture, SearchSpace

#: Draws for an unseen point before the space counts as exhausted.
DRAWS = 10_000


def drawn(space: SearchSpace, seed: int, number: int) -> Iterator[Architecture]:
    """10,000 random members for trial ``number``, then, where there are no more, all members."""
    rng = generator(seed, number, "draw")
    for _ in range(DRAWS):
        yield space.sample(rng)
    if not space.size.estimated and space.size.value <= DRAWS:
        yield from space.members()
