"""Where the decisions of a free graph lie in the vector, and what the codes say of its wiring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from morphml.space.decisions import Code
from morphml.space.guards import Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphLayout:
    """A free graph's vertices: inputs first, then nodes, then the output (`end`)."""

    inputs: int
    nodes: int
    #: Number of operations a node may have.
    ops: int
    #: Most edges.
    most: int
    #: Decision index of a node's operation.
    op_index: Mapping[int, int]
    #: Decision index of an edge (source, target).
    edge_index: Mapping[tuple[int, int], int]
    #: All decision indices, operations first.
    indices: tuple[int, ...] = field(init=False)
    #: (decision index, source, target) of every edge, by target and then source.
    edges: tuple[tuple[int, int, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        indices = (*self.op_index.values(), *self.edge_index.values())
        object.__setattr__(self, "indices", indices)
        edges = tuple((index, i, j) for (i, j), index in self.edge_index.items())
        object.__setattr__(self, "edges", edges)

    @property
    def end(self) -> int:
        """The output's number."""
        return self.inputs + self.nodes

    def arriving(self, codes: Codes) -> list[int]:
        """For each vertex the set of its sources, as bits."""
        masks = [0] * (self.end + 1)
        for index, source, target in self.edges:
            if codes[index]:
                masks[target] |= 1 << source
        return masks

    def wiring(self, codes: Codes) -> Iterator[tuple[int, list[int]]]:
        """(node, its sources) for the nodes in use, in order, and last for the output."""
        masks = self.arriving(codes)
        for target in range(self.inputs, self.end + 1):
            if masks[target]:
                yield target, bits(masks[target])

    def used(self, masks: list[int]) -> int:
        """Inputs, output, and the nodes on a path from one to the other, as bits."""
        inputs = (1 << self.inputs) - 1
        reached = inputs
        for target in range(self.inputs, self.end + 1):
            if masks[target] & reached:
                reached |= 1 << target
        needed = 1 << self.end
        for target in range(self.end, self.inputs - 1, -1):
            if needed >> target & 1:
                needed |= masks[target]
        return reached & needed | inputs | 1 << self.end

    def pruned(self, masks: list[int]) -> list[int]:
        """The wiring without what lies on no path from an input to the output."""
        used = self.used(masks)
        return [mask & used if used >> vertex & 1 else 0 for vertex, mask in enumerate(masks)]

    def write(self, masks: list[int], codes: list[Code]) -> None:
        """Set the codes of edges: None where an end is not in use."""
        used = self.used(masks)
        for index, source, target in self.edges:
            if used >> source & 1 and used >> target & 1:
                codes[index] = masks[target] >> source & 1
            else:
                codes[index] = None


def bits(mask: int) -> list[int]:
    """The positions of the set bits, ascending."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def edge_count(masks: list[int]) -> int:
    """The number of edges."""
    return sum(mask.bit_count() for mask in masks)
