"""Changes of a free graph: an operation, an edge more, less or elsewhere, a node more or less.

What comes out is settled by the caller, which repairs what a change has broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from morphml.space.decisions import Code
from morphml.space.graph_layout import GraphLayout, bits, edge_count
from morphml.space.guards import Codes

#: Changes the wiring in place, or answers False when it cannot.
Change = Callable[[GraphLayout, list[int], list[Code], np.random.Generator], bool]

#: So many kinds of change are tried before giving up.
_TRIES = 8


def moved(layout: GraphLayout, codes: Codes, rng: np.random.Generator) -> list[Code] | None:
    """All codes after one random change; None when none of those tried was possible."""
    for _ in range(_TRIES):
        made = list(codes)
        masks = layout.arriving(codes)
        change = CHANGES[int(rng.random() * len(CHANGES))]
        if change(layout, masks, made, rng):
            if change is not _change_operation:
                layout.write(masks, made)
            return made
    return None


def moves(layout: GraphLayout, codes: Codes) -> Iterator[list[Code]]:
    """All codes after each other operation of a node in use, and each edge turned."""
    for index in layout.operations:
        if codes[index] is not None:
            for op in range(layout.ops):
                if op != codes[index]:
                    made = list(codes)
                    made[index] = op
                    yield made
    for index in layout.edge_indices:
        made = list(codes)
        made[index] = 0 if codes[index] else 1
        yield made


def _nodes(layout: GraphLayout, masks: list[int]) -> list[int]:
    return [node for node in range(layout.inputs, layout.end) if masks[node]]


def _edges(masks: list[int]) -> list[tuple[int, int]]:
    return [(source, target) for target, mask in enumerate(masks) for source in bits(mask)]


def _pick(length: int, rng: np.random.Generator) -> int:
    return int(rng.random() * length)


def _change_operation(
    layout: GraphLayout, masks: list[int], codes: list[Code], rng: np.random.Generator
) -> bool:
    nodes = _nodes(layout, masks)
    if not nodes or layout.ops < 2:
        return False
    index = layout.operation(nodes[_pick(len(nodes), rng)])
    other = _pick(layout.ops - 1, rng)
    codes[index] = other + 1 if other >= int(codes[index] or 0) else other
    return True


def _add_edge(
    layout: GraphLayout, masks: list[int], _codes: list[Code], rng: np.random.Generator
) -> bool:
    if edge_count(masks) >= layout.most:
        return False
    targets = [*_nodes(layout, masks), layout.end]
    vertices = [*range(layout.inputs), *targets]
    free = [
        (source, target)
        for target in targets
        for source in vertices
        if source < target and not masks[target] >> source & 1
    ]
    if not free:
        return False
    source, target = free[_pick(len(free), rng)]
    masks[target] |= 1 << source
    return True


def _remove_edge(
    layout: GraphLayout, masks: list[int], _codes: list[Code], rng: np.random.Generator
) -> bool:
    edges = _edges(masks)
    if len(edges) < 2:
        return False
    source, target = edges[_pick(len(edges), rng)]
    masks[target] &= ~(1 << source)
    return True


def _redirect_edge(
    layout: GraphLayout, masks: list[int], _codes: list[Code], rng: np.random.Generator
) -> bool:
    edges = _edges(masks)
    source, target = edges[_pick(len(edges), rng)]
    vertices = [*range(layout.inputs), *_nodes(layout, masks)]
    others = [v for v in vertices if v < target and not masks[target] >> v & 1]
    if not others:
        return False
    masks[target] &= ~(1 << source)
    masks[target] |= 1 << others[_pick(len(others), rng)]
    return True


def _insert_node(
    layout: GraphLayout, masks: list[int], codes: list[Code], rng: np.random.Generator
) -> bool:
    """A node on an edge; the edge stays or goes with even chance, where there is room."""
    places = [
        (source, node, target)
        for source, target in _edges(masks)
        for node in range(max(source + 1, layout.inputs), min(target, layout.end))
        if not masks[node]
    ]
    if not places or edge_count(masks) >= layout.most:
        return False
    source, node, target = places[_pick(len(places), rng)]
    if edge_count(masks) + 2 > layout.most or rng.random() < 0.5:
        masks[target] &= ~(1 << source)
    masks[node] = 1 << source
    masks[target] |= 1 << node
    codes[layout.operation(node)] = _pick(layout.ops, rng)
    return True


def _remove_node(
    layout: GraphLayout, masks: list[int], codes: list[Code], rng: np.random.Generator
) -> bool:
    """Without a node; its first source takes its place for its readers."""
    nodes = _nodes(layout, masks)
    if not nodes:
        return False
    node = nodes[_pick(len(nodes), rng)]
    source = bits(masks[node])[0]
    for target, mask in enumerate(masks):
        if mask >> node & 1:
            masks[target] = mask & ~(1 << node) | 1 << source
    masks[node] = 0
    codes[layout.operation(node)] = None
    return True


#: Every kind of change; each has the same chance. Operations and edges have two.
CHANGES: tuple[Change, ...] = (
    _change_operation,
    _change_operation,
    _add_edge,
    _remove_edge,
    _redirect_edge,
    _redirect_edge,
    _insert_node,
    _remove_node,
)
