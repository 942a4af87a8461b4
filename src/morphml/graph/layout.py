"""Where things stand in a drawing: a layered layout of a directed acyclic graph.

Layers by longest path, long edges through one bend on each layer between, crossings reduced by
barycentres, positions by least squares. Sugiyama, Tagawa, Toda, *Methods for visual understanding
of hierarchical system structures*, 1981.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 8
_GAP = 28.0
_BEND_WIDTH = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Places for vertices and edges; x grows to the right, layers downwards from 0."""

    #: Centre of each vertex on the x axis, all boxes at 0 or to the right of it.
    x: list[float]
    #: Layer of each vertex.
    layer: list[int]
    #: For every vertex and port: (x, layer) of the bends on the way from the vertex read.
    bends: list[list[list[tuple[float, int]]]]
    #: Right end of the drawing.
    width: float


def layered(inputs: Sequence[Sequence[int]], widths: Sequence[float]) -> Layout:
    """A layout in which every vertex stands below all that it reads.

    Args:
        inputs: vertices read by each vertex, all earlier ones.
        widths: width of each vertex's box.

    Cost: O(sweeps x edges x layers spanned).
    """
    rows = _Rows(inputs, widths)
    rows.reduce_crossings()
    x = rows.positions()
    left = min(x[v] - rows.widths[v] / 2 for v in range(len(x)))
    x = [value - left for value in x]
    return Layout(
        x=x[: len(inputs)],
        layer=rows.layer[: len(inputs)],
        bends=[[[(x[b], rows.layer[b]) for b in chain] for chain in ports] for ports in rows.bends],
        width=max(x[v] + rows.widths[v] / 2 for v in range(len(x))),
    )


class _Rows:
    """Vertices and bends in rows; edges join neighbouring rows only."""

    def __init__(self, inputs: Sequence[Sequence[int]], widths: Sequence[float]) -> None:
        self.widths = list(widths)
        self.layer = _longest_paths(inputs)
        self.bends: list[list[list[int]]] = []
        self.above: list[list[int]] = [[] for _ in inputs]
        for vertex, ports in enumerate(inputs):
            self.bends.append([self._chain(source, vertex) for source in ports])
        self.below: list[list[int]] = [[] for _ in self.above]
        for vertex, sources in enumerate(self.above):
            for source in sources:
                self.below[source].append(vertex)
        self.rows: list[list[int]] = [[] for _ in range(max(self.layer) + 1)]
        for vertex, layer in enumerate(self.layer):
            self.rows[layer].append(vertex)

    def _chain(self, source: int, vertex: int) -> list[int]:
        """Bends for an edge, one on each layer between its ends."""
        chain = []
        last = source
        for layer in range(self.layer[source] + 1, self.layer[vertex]):
            bend = len(self.layer)
            self.layer.append(layer)
            self.widths.append(_BEND_WIDTH)
            self.above.append([last])
            chain.append(bend)
            last = bend
        self.above[vertex].append(last)
        return chain

    def reduce_crossings(self) -> None:
        """Sort the rows by barycentres, down and up in turn, and keep the best order seen."""
        best, fewest = [row.copy() for row in self.rows], self._crossings()
        place = {vertex: i for row in self.rows for i, vertex in enumerate(row)}
        for sweep in range(_SWEEPS):
            if not fewest:
                break
            neighbours = self.above if sweep % 2 == 0 else self.below
            for row in self.rows if sweep % 2 == 0 else reversed(self.rows):
                centre = {v: _mean([place[n] for n in neighbours[v]], place[v]) for v in row}
                row.sort(key=centre.__getitem__)
                place.update((vertex, i) for i, vertex in enumerate(row))
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [row.copy() for row in self.rows], crossings
        self.rows = best

    def _crossings(self) -> int:
        """Pairs of edges between neighbouring rows that cross."""
        total = 0
        for upper, lower in pairwise(self.rows):
            place = {vertex: i for i, vertex in enumerate(upper)}
            arrived: list[int] = []
            for vertex in lower:
                starts = [place[source] for source in self.above[vertex]]
                total += sum(len(arrived) - bisect_right(arrived, start) for start in starts)
                for start in starts:
                    insort(arrived, start)
        return total

    def positions(self) -> list[float]:
        """Centres on the x axis: near the mean of the neighbours, boxes never overlapping."""
        x = [0.0] * len(self.layer)
        for row in self.rows:
            self._spread(row, [0.0] * len(row), x)
        for sweep in range(_SWEEPS):
            neighbours = self.above if sweep % 2 == 0 else self.below
            for row in self.rows if sweep % 2 == 0 else reversed(self.rows):
                wanted = [_mean([x[n] for n in neighbours[v]], x[v]) for v in row]
                self._spread(row, wanted, x)
        return x

    def _spread(self, row: list[int], wanted: list[float], x: list[float]) -> None:
        """Least-squares positions for a row in its order (pooling of adjacent violators)."""
        offsets = [0.0]
        for left, right in pairwise(row):
            offsets.append(offsets[-1] + (self.widths[left] + self.widths[right]) / 2 + _GAP)
        blocks: list[tuple[float, int]] = []
        for target, offset in zip(wanted, offsets, strict=True):
            total, count = target - offset, 1
            while blocks and blocks[-1][0] / blocks[-1][1] >= total / count:
                before, size = blocks.pop()
                total, count = total + before, count + size
            blocks.append((total, count))
        starts = [total / count for total, count in blocks for _ in range(count)]
        for vertex, start, offset in zip(row, starts, offsets, strict=True):
            x[vertex] = start + offset


def _longest_paths(inputs: Sequence[Sequence[int]]) -> list[int]:
    """Layers by longest path; what reads nothing stands just above its first reader."""
    layer: list[int] = []
    first_reader: dict[int, int] = {}
    for vertex, ports in enumerate(inputs):
        layer.append(max((layer[source] + 1 for source in ports), default=0))
        for source in ports:
            first_reader[source] = min(first_reader.get(source, layer[vertex]), layer[vertex])
    return [
        layer[v] if ports else max(0, first_reader.get(v, 1) - 1) for v, ports in enumerate(inputs)
    ]


def _mean(values: list[float] | list[int], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
