"""Where the decisions of a free graph lie in the vector, and what the codes say of its wiring.

A wiring is a list of integers, one for each vertex: the bits of its sources.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    #: Decision indices of the nodes' operations, in the order of the nodes.
    operations: tuple[int, ...]
    #: Decision index of the first edge; the others follow, by target and then source.
    first_edge: int
    #: Where each vertex's edges begin, counted from `first_edge`; the last entry is their number.
    offsets: tuple[int, ...] = field(init=False)
    #: (source, target) of each edge.
    places: tuple[tuple[int, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        offsets = [0] * self.inputs
        for target in range(self.inputs, self.end + 1):
            offsets.append(offsets[-1] + (target - 1 if target > self.inputs else 0))
        object.__setattr__(self, "offsets", (*offsets, offsets[-1] + self.end))
        places = tuple((source, target) for target in self.vertices for source in range(target))
        object.__setattr__(self, "places", places)

    @property
    def end(self) -> int:
        """The output's number."""
        return self.inputs + self.nodes

    @property
    def vertices(self) -> range:
        """The nodes and the output: all that edges lead to."""
        return range(self.inputs, self.end + 1)

    @property
    def edge_indices(self) -> range:
        """Decision indices of all edges."""
        return range(self.first_edge, self.first_edge + self.offsets[-1])

    def edge(self, source: int, target: int) -> int:
        """The decision index of an edge."""
        return self.first_edge + self.offsets[target] + source

    def operation(self, node: int) -> int:
        """The decision index of a node's operation."""
        return self.operations[node - self.inputs]

    def arriving(self, codes: Codes) -> list[int]:
        """The wiring that codes describe."""
        masks = [0] * (self.end + 1)
        block = codes[self.first_edge : self.first_edge + self.offsets[-1]]
        places = self.places
        for place in [place for place, code in enumerate(block) if code]:
            source, target = places[place]
            masks[target] |= 1 << source
        return masks

    def wiring(self, codes: Codes) -> Iterator[tuple[int, list[int]]]:
        """(node, its sources) for the nodes in use, in order, and last for the output."""
        masks = self.arriving(codes)
        for target in self.vertices:
            if masks[target]:
                yield target, bits(masks[target])

    def used(self, masks: list[int]) -> int:
        """Inputs, output, and the nodes on a path from one to the other, as bits."""
        inputs = (1 << self.inputs) - 1
        reached = inputs
        for target in self.vertices:
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
        """Set the codes of all edges: None where an end is not in use.

        Args:
            masks: a pruned wiring.
            codes: changed in place.
        """
        block: list[Code] = [None] * self.offsets[-1]
        sources = list(range(self.inputs))
        for target in self.vertices:
            mask = masks[target]
            if mask or target == self.end:
                begin = self.offsets[target]
                for source in sources:
                    block[begin + source] = mask >> source & 1
                sources.append(target)
        codes[self.first_edge : self.first_edge + len(block)] = block


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
    return sum([mask.bit_count() for mask in masks])
