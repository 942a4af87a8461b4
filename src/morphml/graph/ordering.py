"""The order of the canonical form's nodes, once every tie between ports is decided."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from morphml.errors import SpaceError
from morphml.graph.reduction import Reduced


def arrange(reduced: Reduced, inputs: Sequence[Sequence[int]]) -> list[int]:
    """The vertices in canonical order: inputs by name, then as the outputs reach them.

    A depth-first walk from the outputs (by name) through the ports puts each vertex after all that
    it reads. It visits everything, so the order depends on the structure and on ``inputs`` only.

    Args:
        reduced: what is left of the graph.
        inputs: vertices read by each vertex, with unordered ports already put in order.

    Raises:
        SpaceError: two input nodes have one name.
    """
    order = [vertex for vertex, node in enumerate(reduced.nodes) if node.op == "input"]
    if len(order) > 1:
        names = {vertex: str(dict(reduced.nodes[vertex].attrs)["name"]) for vertex in order}
        order.sort(key=names.__getitem__)
        for before, vertex in pairwise(order):
            if names[before] == names[vertex]:
                raise SpaceError(f"two inputs are named {names[vertex]!r}; names must be unique")
    placed = set(order)
    stack: list[int] = [vertex for _, vertex in reversed(reduced.outputs)]
    while stack:
        vertex = stack.pop()
        if vertex < 0:
            vertex = ~vertex
            placed.add(vertex)
            order.append(vertex)
        elif vertex not in placed:
            stack.append(~vertex)
            stack += [source for source in reversed(inputs[vertex]) if source not in placed]
    return order


def sorted_ports(reduced: Reduced, rank: Sequence[int] | Sequence[bytes]) -> list[list[int]]:
    """The inputs of every vertex, unordered ports sorted by the rank of what they read."""
    return [
        sorted(ports, key=rank.__getitem__) if loose else ports
        for ports, loose in zip(reduced.inputs, reduced.unordered, strict=True)
    ]
