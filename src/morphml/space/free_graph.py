"""Free graphs: settled so that every node lies on a path and no more edges are there than allowed.

The rules, all deterministic: what lies on no path from an input to the output is inactive; an
output that nothing reaches gets an edge from the last vertex that an input reaches; while there are
too many edges, the last edge goes that leaves all nodes connected, and where there is none such,
the last node.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from morphml.space import graph_counting, graph_moves
from morphml.space.decisions import Code
from morphml.space.graph_layout import GraphLayout, bits, edge_count
from morphml.space.guards import ALWAYS, Codes, Guard, active, reads


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeGraph:
    """The edges and operations of one free graph: a group of decisions."""

    layout: GraphLayout
    guard: Guard

    @property
    def indices(self) -> tuple[int, ...]:
        """The decisions of operations, then those of edges."""
        return (*self.layout.operations, *self.layout.edge_indices)

    @property
    def reads(self) -> frozenset[int]:
        """The decisions that say whether the graph is there."""
        return reads(self.guard)

    @property
    def ops(self) -> int:
        """The number of operations that a node may have."""
        return self.layout.ops

    @property
    def operations(self) -> tuple[int, ...]:
        """The decisions of operations."""
        return self.layout.operations

    def settle(self, codes: list[Code], draws: Sequence[float] | None) -> None:
        """Make the codes a valid graph: a drawn one, the default, or the nearest to what is there.

        O(edges).
        """
        layout = self.layout
        if self.guard is not ALWAYS and not active(self.guard, codes):
            for index in self.indices:
                codes[index] = None
            return
        masks = layout.arriving(codes)
        if not any(masks) and all([codes[index] is None for index in layout.operations]):
            masks = self._default() if draws is None else self._drawn(draws)
        masks = self.repaired(masks)
        layout.write(masks, codes)
        for node, index in enumerate(layout.operations, layout.inputs):
            if not masks[node]:
                codes[index] = None
            elif codes[index] is None:
                codes[index] = 0 if draws is None else int(draws[index] * layout.ops)

    def repaired(self, masks: list[int]) -> list[int]:
        """The nearest valid wiring, by the rules above."""
        layout = self.layout
        masks = layout.pruned(masks)
        if not masks[layout.end]:
            masks = layout.pruned(self._reconnected(masks))
        while edge_count(masks) > layout.most:
            masks = layout.pruned(self._thinned(masks))
            if not masks[layout.end]:
                masks[layout.end] = 1
        return masks

    def moved(self, codes: Codes, rng: np.random.Generator) -> list[Code] | None:
        """All codes after a random change of one operation, edge, or node; see `graph_moves`."""
        return graph_moves.moved(self.layout, codes, rng)

    def moves(self, codes: Codes) -> Iterator[list[Code]]:
        """All codes after each change of an operation, and of an edge."""
        if active(self.guard, codes):
            yield from graph_moves.moves(self.layout, codes)

    def count(self, weight: int) -> int:
        """The number of valid graphs, where each node's operation counts ``weight`` ways."""
        layout = self.layout
        return graph_counting.graphs(layout.inputs, layout.nodes, layout.most, weight)

    def settings(self, codes: Codes) -> Iterator[list[Code]]:
        """All codes with each valid graph."""
        if not active(self.guard, codes):
            made = list(codes)
            self.settle(made, None)
            yield made
            return
        layout = self.layout
        nodes = range(layout.inputs, layout.end)
        for size in range(layout.nodes + 1):
            for chosen in combinations(nodes, size):
                for masks in self._wirings(chosen):
                    for ops in product(range(layout.ops), repeat=size):
                        made = list(codes)
                        layout.write(masks, made)
                        for node in nodes:
                            made[layout.operation(node)] = None
                        for node, op in zip(chosen, ops, strict=True):
                            made[layout.operation(node)] = op
                        yield made

    def _wirings(self, chosen: tuple[int, ...]) -> Iterator[list[int]]:
        """Every wiring that uses exactly the nodes ``chosen``."""
        layout = self.layout
        vertices = [*range(layout.inputs), *chosen]
        targets = [*chosen, layout.end]
        pools = []
        for target in targets:
            sources = [v for v in vertices if v < target]
            pools.append([sum(1 << v for v in c) for k in range(1, len(sources) + 1)
                          for c in combinations(sources, k)])  # fmt: skip
        everyone = sum(1 << v for v in chosen) | (1 << layout.inputs) - 1 | 1 << layout.end
        for picked in product(*pools):
            masks = [0] * (layout.end + 1)
            for target, mask in zip(targets, picked, strict=True):
                masks[target] = mask
            if edge_count(masks) <= layout.most and layout.used(masks) == everyone:
                yield masks

    def _default(self) -> list[int]:
        """Input, first node, output; input and output only where one edge is the most."""
        layout = self.layout
        masks = [0] * (layout.end + 1)
        if layout.most > 1:
            masks[layout.inputs] = 1
            masks[layout.end] = 1 << layout.inputs
        else:
            masks[layout.end] = 1
        return masks

    def _drawn(self, draws: Sequence[float]) -> list[int]:
        """A random wiring: a random number of nodes, each with a source and a target, and more.

        Every valid graph can come out; the number of nodes is uniform before repairs.
        """
        layout = self.layout
        first = layout.first_edge
        keys = [draws[index] for index in layout.operations]
        most = min(layout.nodes, layout.most - 1)
        number = int(draws[first] * (most + 1))
        order = sorted(range(layout.nodes), key=keys.__getitem__)[:number]
        vertices = [*range(layout.inputs), *sorted([layout.inputs + k for k in order]), layout.end]
        masks = [0] * (layout.end + 1)
        lonely = set(vertices[layout.inputs : -1])
        for position in range(layout.inputs, len(vertices)):
            target = vertices[position]
            last = target == layout.end and number
            at = position - 1 if last else int(draws[layout.edge(0, target)] * position)
            masks[target] = 1 << vertices[at]
            lonely.discard(vertices[at])
        for source in sorted(lonely):
            later = vertices[vertices.index(source) + 1 :]
            u = draws[layout.edge(source, layout.end)]
            masks[later[int(u * len(later))]] |= 1 << source
        return self._denser(masks, vertices, draws)

    def _denser(self, masks: list[int], vertices: list[int], draws: Sequence[float]) -> list[int]:
        """More edges among the vertices in use, up to a random number."""
        layout = self.layout
        free = []
        for position in range(layout.inputs, len(vertices)):
            target = vertices[position]
            begin, mask = layout.edge(0, target), masks[target]
            free += [
                (draws[begin + source], source, target)
                for source in vertices[:position]
                if not mask >> source & 1
            ]
        room = min(layout.most - edge_count(masks), len(free))
        if room <= 0:
            return masks
        more = int(draws[layout.edge_indices[-1]] * (room + 1))
        for _, source, target in sorted(free)[:more]:
            masks[target] |= 1 << source
        return masks

    def _reconnected(self, masks: list[int]) -> list[int]:
        """With an edge to the output from the last vertex that an input reaches."""
        made = list(masks)
        made[self.layout.end] = 1
        return made

    def _thinned(self, masks: list[int]) -> list[int]:
        """With one edge less, or with one node less where no edge can go."""
        layout = self.layout
        readers = [0] * (layout.end + 1)
        for mask in masks:
            for source in bits(mask):
                readers[source] += 1
        made = list(masks)
        for target in reversed(layout.vertices):
            if masks[target].bit_count() < 2:
                continue
            for source in reversed(bits(masks[target])):
                if source < layout.inputs or readers[source] > 1:
                    made[target] &= ~(1 << source)
                    return made
        last = max(node for node in range(layout.inputs, layout.end) if masks[node])
        made[last] = 0
        return [mask & ~(1 << last) for mask in made]
