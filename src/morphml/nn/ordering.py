"""The order in which a canonical graph is computed; where it leaves a choice, the paths decide.

The canonical form orders the terms of a sum by digests, so equal cells of a network may come out in
different orders. Here summands are put in order of depth, then of path: equal cells are computed
equally, and read equally when exported. Sums differ from the canonical order by rounding only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from morphml.graph import ModelGraph

_NUMBER = re.compile(r"(\d+)")


def ordered_ports(graph: ModelGraph) -> list[tuple[int, ...]]:
    """The inputs of every node, in the order of the ports; summands by depth, then path."""
    depths: list[int] = []
    for node in graph.nodes:
        depths.append(1 + max((depths[source] for source in node.inputs), default=-1))

    def key(source: int) -> tuple[object, ...]:
        return depths[source], _natural(graph.nodes[source].path), source

    return [
        tuple(sorted(node.inputs, key=key)) if node.op == "add" else node.inputs
        for node in graph.nodes
    ]


def execution_order(graph: ModelGraph, ports: Sequence[tuple[int, ...]]) -> list[int]:
    """Node positions, inputs first, each node as late as its first reader needs it."""
    order = [position for position, node in enumerate(graph.nodes) if node.op == "input"]
    placed = set(order)
    stack = [position for _, position in reversed(graph.outputs)]
    while stack:
        position = stack.pop()
        if position < 0:
            if ~position not in placed:
                placed.add(~position)
                order.append(~position)
        elif position not in placed:
            stack.append(~position)
            stack += [source for source in reversed(ports[position]) if source not in placed]
    return order


def _natural(path: str) -> tuple[tuple[int, str], ...]:
    """Sorts ``cell/2`` before ``cell/10``."""
    parts = _NUMBER.split(path)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)
