"""Problems over real networks whose best member is known because it was planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeAlias

from morphml.benchmarks.problem import Measure, Problem
from morphml.errors import CallerError
from morphml.graph import ModelGraph
from morphml.hints import meant_or_known
from morphml.ids import digest
from morphml.search.objectives import Direction, Objective
from morphml.seeds import generator
from morphml.space import Architecture, SearchSpace
from morphml.space.ready import cnn, nasbench201

#: An operation, an operation at a depth, or two operations in a row.
_Part: TypeAlias = tuple[object, ...]

#: Name to the space in which a network is planted.
SPACES: Mapping[str, Callable[[], SearchSpace]] = {
    "cell": lambda: nasbench201(cells=1, widths=(16,)),
    "cnn": cnn,
}


class Planted:
    """How far a network is from a planted one: the share of parts that they do not share.

    Parts are the operations of the canonical graph with their attributes, the same with their
    longest distance from an input, and every two that follow each other. Networks that are built
    alike have equal values.

    Args:
        target: the planted network; its distance is 0.
    """

    def __init__(self, target: ModelGraph) -> None:
        self._target = parts(target)

    def __call__(self, architecture: Architecture, /) -> dict[str, float]:
        """The distance, 0 to 1."""
        found = parts(architecture.canonical)
        apart = (self._target - found).total() + (found - self._target).total()
        return {"distance": apart / (self._target.total() + found.total())}

    def network(self, architecture: Architecture, /) -> str | None:
        """The graph id."""
        return architecture.graph_id

    @property
    def digest(self) -> str:
        """Digest of the planted network's parts."""
        return digest(repr(sorted(self._target.items(), key=repr)).encode())


def synthetic(space: str = "cell", seed: int = 0) -> Problem:
    """A problem with a planted network.

    Args:
        space: ``cell``: one cell of six edges, five operations each. ``cnn``: the ready-made space
            of convolutional networks.
        seed: which network is planted.

    Raises:
        CallerError: there is no such space.
    """
    if space not in SPACES:
        raise CallerError(f"no synthetic problem {space!r}{meant_or_known(space, SPACES)}")
    searched = SPACES[space]()
    target = searched.sample(generator(seed, 0, "planted"))
    return Problem(
        name=f"synthetic/{space}" + (f"/{seed}" if seed else ""),
        space=searched,
        measures=(
            Measure(objective=Objective(name="distance", direction=Direction.MIN), best=0.0),
        ),
        look_up=Planted(target.canonical),
        cost="nothing: computed from the graph",
        source="planted networks",
    )


def parts(graph: ModelGraph) -> Counter[_Part]:
    """What a network is made of, as a multiset; O(nodes + edges)."""
    names = [(node.op, node.attrs) for node in graph.nodes]
    depth: list[int] = []
    found: Counter[_Part] = Counter()
    for name, node in zip(names, graph.nodes, strict=True):
        depth.append(1 + max((depth[i] for i in node.inputs), default=-1))
        found.update([name, (*name, depth[-1])])
        found.update((names[i], name) for i in node.inputs)
    return found
