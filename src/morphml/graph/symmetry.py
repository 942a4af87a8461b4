"""Ties between unordered ports: refinement of colours, and a search where refinement is not enough.

Colours are refined in the manner of Weisfeiler and Leman until they are stable. What is still tied
then is either a true symmetry, where any choice gives the same form, or it only looks like one: a
12-cycle and two 6-cycles have the same stable colours. One vertex of the first tie is singled out
and refinement goes on, for each member of the tie; the smallest certificate wins. Symmetries found
on the way (two leaves with equal certificates) prune the rest, as in McKay and Piperno, *Practical
graph isomorphism, II*, 2014.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from morphml.graph.ordering import arrange, sorted_ports
from morphml.graph.reduction import Reduced

#: (label, positions read, number of the shared module) of every node in order.
_Certificate = list[tuple[bytes, tuple[int, ...], int]]
#: What a vertex sees around it: colours it reads, (colour, port) that read it, colours it shares.
_Surroundings = tuple[tuple[int, ...], tuple[tuple[int, int], ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    """A colouring without ties that the search came to."""

    certificate: _Certificate
    ranks: list[int]
    #: The vertices in canonical order.
    order: list[int]
    #: The vertices singled out on the way.
    chosen: tuple[int, ...]


class _Colouring:
    """An ordered partition of the vertices, made finer in place.

    A vertex's colour is how many vertices stand in cells before its own, so that splitting a cell
    changes no colour outside it. Only cells of two and more are kept.
    """

    __slots__ = ("cells", "colours")

    def __init__(self, colours: list[int], cells: dict[int, list[int]]) -> None:
        self.colours = colours
        self.cells = cells

    def split(self, colour: int, groups: list[list[int]]) -> None:
        """Put ``groups``, which make up the cell of that colour, in its place in their order."""
        del self.cells[colour]
        for group in groups:
            for vertex in group:
                self.colours[vertex] = colour
            if len(group) > 1:
                self.cells[colour] = group
            colour += len(group)

    def with_first(self, vertex: int) -> _Colouring:
        """A copy in which ``vertex`` stands before the rest of its cell."""
        copy = _Colouring(self.colours.copy(), self.cells.copy())
        colour = self.colours[vertex]
        copy.split(colour, [[vertex], [other for other in self.cells[colour] if other != vertex]])
        return copy


class TieBreak:
    """One run over one reduced graph; `ranks` gives the decision."""

    def __init__(self, reduced: Reduced, labels: Sequence[bytes], trees: Sequence[bytes]) -> None:
        """Prepare.

        Args:
            reduced: what is left of the graph.
            labels: operation, attributes and sharing of each vertex, as bytes.
            trees: digest of what each vertex computes, as a tree seen from the inputs.
        """
        self._reduced = reduced
        self._labels = labels
        self._trees = trees
        self._readers: list[list[tuple[int, int]]] = [[] for _ in labels]
        for reader, ports in enumerate(reduced.inputs):
            loose = reduced.unordered[reader]
            for port, vertex in enumerate(ports):
                self._readers[vertex].append((reader, -1 if loose else port))
        sharing: defaultdict[str, list[int]] = defaultdict(list)
        for vertex, key in enumerate(reduced.shared):
            if key is not None:
                sharing[key].append(vertex)
        self._sharing = [sharing[key] if key is not None else () for key in reduced.shared]
        self._leaves: list[_Leaf] = []
        self._symmetries: list[list[int]] = []

    def ranks(self) -> list[int]:
        """A rank for every vertex, all different; isomorphic graphs get corresponding ranks."""
        colouring = self._start()
        self._refine(colouring)
        if not self._settle(colouring):
            self._search(colouring, ())
            return min(self._leaves, key=lambda leaf: leaf.certificate).ranks
        return colouring.colours

    def _start(self) -> _Colouring:
        """Vertices told apart by what they compute and by the outputs that they are."""
        names: list[tuple[str, ...]] = [()] * len(self._labels)
        for name, vertex in self._reduced.outputs:
            names[vertex] = (*names[vertex], name)
        groups: defaultdict[tuple[bytes, tuple[str, ...]], list[int]] = defaultdict(list)
        for vertex, key in enumerate(zip(self._trees, names, strict=True)):
            groups[key].append(vertex)
        colouring = _Colouring([0] * len(names), {0: []})
        colouring.split(0, [groups[key] for key in sorted(groups)])
        return colouring

    def _refine(self, colouring: _Colouring) -> None:
        """Split cells until the members of each see the same around them."""
        stable = False
        while not stable:
            splits = []
            for colour, cell in colouring.cells.items():
                groups: defaultdict[_Surroundings, list[int]] = defaultdict(list)
                for vertex in cell:
                    groups[self._surroundings(vertex, colouring.colours)].append(vertex)
                if len(groups) > 1:
                    splits.append((colour, [groups[key] for key in sorted(groups)]))
            for colour, parts in splits:
                colouring.split(colour, parts)
            stable = not splits

    def _surroundings(self, vertex: int, colours: list[int]) -> _Surroundings:
        below = [colours[source] for source in self._reduced.inputs[vertex]]
        if self._reduced.unordered[vertex]:
            below.sort()
        above = [(colours[reader], port) for reader, port in self._readers[vertex]]
        above.sort()
        sharing = [colours[other] for other in self._sharing[vertex]]
        sharing.sort()
        return tuple(below), tuple(above), tuple(sharing)

    def _settle(self, colouring: _Colouring) -> bool:
        """Order the ties of a stable colouring where all of them are symmetries; else False.

        They are where every connected piece of tied vertices meets each colour at most once: stable
        colours then make pieces with a common colour copies of each other with the same
        surroundings, so they may be put in any order.
        """
        piece = {vertex: vertex for cell in colouring.cells.values() for vertex in cell}

        def find(vertex: int) -> int:
            while (parent := piece[vertex]) != vertex:
                vertex = parent
            return vertex

        for vertex in piece:
            for other in (*self._reduced.inputs[vertex], *self._sharing[vertex]):
                if other in piece:
                    piece[find(vertex)] = find(other)
        cells = [
            (colour, {find(vertex): vertex for vertex in cell}, len(cell))
            for colour, cell in colouring.cells.items()
        ]
        if any(len(by_piece) < size for _, by_piece, size in cells):
            return False
        for colour, by_piece, _ in cells:
            colouring.split(colour, [[by_piece[root]] for root in sorted(by_piece)])
        return True

    def _search(self, colouring: _Colouring, chosen: tuple[int, ...]) -> int:
        """Explore below a choice; returns the depth to go on at: less than its own after a find."""
        depth = len(chosen)
        tried: list[int] = []
        for vertex in colouring.cells[min(colouring.cells)]:
            if tried and self._same_orbit(vertex, tried, chosen):
                continue
            tried.append(vertex)
            finer = colouring.with_first(vertex)
            self._refine(finer)
            below = (*chosen, vertex)
            back = self._leaf(finer, below) if self._settle(finer) else self._search(finer, below)
            if back < depth:
                return back
        return depth

    def _leaf(self, colouring: _Colouring, chosen: tuple[int, ...]) -> int:
        """Keep a leaf, or the symmetry that leads to it from another; returns as `_search` does."""
        leaf = self._certified(colouring.colours, chosen)
        for other in self._leaves:
            if other.certificate == leaf.certificate:
                image = [0] * len(leaf.order)
                for here, there in zip(other.order, leaf.order, strict=True):
                    image[here] = there
                self._symmetries.append(image)
                common = 0
                for mine, theirs in zip(chosen, other.chosen, strict=False):
                    if mine != theirs:
                        break
                    common += 1
                return common
        self._leaves.append(leaf)
        return len(chosen)

    def _certified(self, ranks: list[int], chosen: tuple[int, ...]) -> _Leaf:
        inputs = sorted_ports(self._reduced, ranks)
        order = arrange(self._reduced, inputs)
        place = {vertex: position for position, vertex in enumerate(order)}
        modules: dict[str, int] = {}
        certificate = []
        for vertex in order:
            key = self._reduced.shared[vertex]
            module = -1 if key is None else modules.setdefault(key, len(modules))
            ports = [place[source] for source in inputs[vertex]]
            if self._reduced.unordered[vertex]:
                ports.sort()
            certificate.append((self._labels[vertex], tuple(ports), module))
        return _Leaf(certificate=certificate, ranks=ranks, order=order, chosen=chosen)

    def _same_orbit(self, vertex: int, tried: list[int], chosen: tuple[int, ...]) -> bool:
        """True when a known symmetry that keeps the choices leads from a tried vertex to this."""
        fixing = [s for s in self._symmetries if all(s[v] == v for v in chosen)]
        seen = set(tried)
        todo = list(tried)
        while todo:
            start = todo.pop()
            for symmetry in fixing:
                if (image := symmetry[start]) not in seen:
                    seen.add(image)
                    todo.append(image)
        return vertex in seen
