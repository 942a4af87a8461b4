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
from itertools import pairwise
from typing import Any

from morphml.graph.ordering import arrange, sorted_ports
from morphml.graph.reduction import Reduced

#: (label, positions read, number of the shared module) of every node in order.
Certificate = list[tuple[bytes, tuple[int, ...], int]]


class TieBreak:
    """One run over one reduced graph; `ranks` gives the decision."""

    def __init__(self, reduced: Reduced, labels: Sequence[bytes], colours: Sequence[bytes]) -> None:
        """Prepare.

        Args:
            reduced: what is left of the graph.
            labels: operation, attributes and sharing of each vertex, as bytes.
            colours: what each vertex computes, as a tree seen from the inputs.
        """
        self._reduced = reduced
        self._labels = labels
        self._size = len(reduced.nodes)
        names: list[list[str]] = [[] for _ in labels]
        for name, vertex in reduced.outputs:
            names[vertex].append(name)
        self._start = _ranked([(c, tuple(n)) for c, n in zip(colours, names, strict=True)])
        self._readers: list[list[tuple[int, int]]] = [[] for _ in labels]
        for reader, ports in enumerate(reduced.inputs):
            loose = reduced.unordered[reader]
            for port, vertex in enumerate(ports):
                self._readers[vertex].append((reader, -1 if loose else port))
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for vertex, key in enumerate(reduced.shared):
            if key is not None:
                groups[key].append(vertex)
        self._group: list[list[int]] = [groups[k] if k is not None else [] for k in reduced.shared]
        self._leaves: list[tuple[Certificate, list[int], tuple[int, ...], list[int]]] = []
        self._symmetries: list[list[int]] = []

    def ranks(self) -> list[int]:
        """A rank for every vertex, all different; isomorphic graphs get corresponding ranks."""
        self._search(self._start, ())
        return min(self._leaves, key=lambda leaf: leaf[0])[1]

    def _refine(self, colours: list[int]) -> list[int]:
        """The coarsest stable colouring that is finer than ``colours``."""
        inputs, loose = self._reduced.inputs, self._reduced.unordered
        classes = max(colours) + 1
        while classes < self._size:
            keys = []
            for vertex in range(self._size):
                below = [colours[source] for source in inputs[vertex]]
                if loose[vertex]:
                    below.sort()
                above = sorted([(colours[reader], port) for reader, port in self._readers[vertex]])
                group = sorted([colours[other] for other in self._group[vertex]])
                keys.append((colours[vertex], below, above, group))
            finer = _ranked(keys)
            count = max(finer) + 1
            if count == classes:
                break
            colours, classes = finer, count
        return colours

    def _search(self, colours: list[int], chosen: tuple[int, ...]) -> int:
        """Explore below a choice; returns the depth to go on at: less than its own after a find."""
        depth = len(chosen)
        colours = self._refine(colours)
        classes: defaultdict[int, list[int]] = defaultdict(list)
        for vertex, colour in enumerate(colours):
            classes[colour].append(vertex)
        tied = [classes[colour] for colour in sorted(classes) if len(classes[colour]) > 1]
        settled = colours if not tied else self._all_symmetric(colours, tied)
        if settled is not None:
            return self._leaf(settled, chosen)
        tried: list[int] = []
        for vertex in tied[0]:
            if tried and self._same_orbit(vertex, tried, chosen):
                continue
            tried.append(vertex)
            single = [2 * colour + 1 for colour in colours]
            single[vertex] -= 1
            back = self._search(_ranked(single), (*chosen, vertex))
            if back < depth:
                return back
        return depth

    def _all_symmetric(self, colours: list[int], tied: list[list[int]]) -> list[int] | None:
        """Colours without ties where all ties are symmetries, else None.

        They are where every connected piece of tied vertices meets each colour at most once: stable
        colours then make pieces with a common colour copies of each other with the same
        surroundings, so they may be put in any order.
        """
        piece = list(range(self._size))

        def find(vertex: int) -> int:
            while piece[vertex] != vertex:
                piece[vertex] = piece[piece[vertex]]
                vertex = piece[vertex]
            return vertex

        members = {vertex for cell in tied for vertex in cell}
        for vertex in members:
            for other in (*self._reduced.inputs[vertex], *self._group[vertex]):
                if other in members:
                    piece[find(vertex)] = find(other)
        for cell in tied:
            if len({find(vertex) for vertex in cell}) < len(cell):
                return None
        return _ranked([(c, find(v) if v in members else -1) for v, c in enumerate(colours)])

    def _leaf(self, ranks: list[int], chosen: tuple[int, ...]) -> int:
        certificate, order = self._certificate(ranks)
        for other_certificate, _, other_chosen, other_order in self._leaves:
            if other_certificate == certificate:
                image = [0] * self._size
                for here, there in zip(other_order, order, strict=True):
                    image[here] = there
                self._symmetries.append(image)
                common = 0
                while (
                    common < min(len(chosen), len(other_chosen))
                    and chosen[common] == other_chosen[common]
                ):
                    common += 1
                return common
        self._leaves.append((certificate, ranks, chosen, order))
        return len(chosen)

    def _certificate(self, ranks: list[int]) -> tuple[Certificate, list[int]]:
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
        return certificate, order

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


def _ranked(keys: Sequence[Any]) -> list[int]:
    """Each key's place among the distinct keys in order."""
    order = sorted(range(len(keys)), key=keys.__getitem__)
    ranks = [0] * len(keys)
    rank = 0
    for before, position in pairwise(order):
        rank += keys[before] != keys[position]
        ranks[position] = rank
    return ranks
