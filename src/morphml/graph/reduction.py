"""From a graph as a space says it to what is built: the rules of removal and contraction.

Rules, applied until none changes anything (one pass in topological order does it):

1. A node is *alive* when a path leads to it from an input and no `zero` lies on that path. Input
   nodes are alive; `zero` nodes, and nodes with dead inputs only, are dead: they are cut off from
   every input. (A convolution of zeros would give its bias; being off the paths, it is removed.)
2. A dead input of an `add` is dropped. Any other operation with a live and a dead input keeps the
   port, which reads zeros of the shape that stood there: zeros into `concat` hold their channels.
3. `identity`, and `add`, `concat` or `multiply` of a single remaining input, is that input.
4. A dead output reads zeros of its shape; its name stays.
5. Nodes that no output needs are removed. Input nodes stay: they are the model's signature.
6. An `add` that is read only once, by another `add`, is merged into it. (An inner sum that is read
   twice stays: spelling it out would build, and count, its additions twice, and a chain of
   residual blocks would grow quadratically.)
7. `shared` stays only on nodes with weights of which another live node has the same key.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from morphml.errors import SpaceError
from morphml.graph.operation import Catalogue
from morphml.graph.shapes import infer_shapes
from morphml.graph.values import ModelGraph, Node, Shape

#: Operations that are their input where it is the only one.
_SINGLE = frozenset({"identity", "concat", "multiply"})
#: Operations that the rules may remove from a path, or replace.
MAY_VANISH = _SINGLE | {"zero", "add"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """What is left of a graph: vertices in a topological order that means nothing."""

    #: The node that each vertex comes from.
    nodes: list[Node]
    #: Vertices read, in port order.
    inputs: list[list[int]]
    #: True where the ports are a multiset.
    unordered: list[bool]
    #: Key of a module that at least two vertices share.
    shared: list[str | None]
    #: Output names, sorted, and their vertices.
    outputs: list[tuple[str, int]]


def reduce_graph(graph: ModelGraph, catalogue: Catalogue) -> Reduced:
    """The graph after all rules of this module; O(nodes + edges).

    Raises:
        SpaceError: an operation that the catalogue does not know; one shared key on two different
            operations.
        ShapeError: shapes do not fit, found only where zeros stay and need a shape.
    """
    return _Reduction(graph, catalogue).result()


class _Reduction:
    """The working state of one reduction; vertices are node positions, zeros come after them."""

    __slots__ = ("_catalogue", "_graph", "_inputs", "_nodes", "_shapes", "_zeros")

    def __init__(self, graph: ModelGraph, catalogue: Catalogue) -> None:
        self._graph = graph
        self._catalogue = catalogue
        self._nodes = list(graph.nodes)
        self._inputs: list[list[int]] = [[]] * len(graph.nodes)
        self._zeros: dict[Shape, int] = {}
        self._shapes: tuple[Shape, ...] | None = None

    def result(self) -> Reduced:
        stands_for = self._contract()
        outputs = [
            (name, self._zero_like(position) if (kept := stands_for[position]) < 0 else kept)
            for name, position in self._graph.outputs
        ]
        needed = self._needed([vertex for _, vertex in outputs])
        if any(self._nodes[vertex].op == "add" for vertex in needed):
            needed = self._merge_sums(needed, outputs)
        return self._compact(needed, outputs)

    def _contract(self) -> list[int]:
        """Rules 1 to 3: which vertex each node stands for, -1 for none."""
        stands_for: list[int] = []
        inputs = self._inputs
        for position, node in enumerate(self._graph.nodes):
            op = node.op
            ports = [stands_for[source] for source in node.inputs]
            kept = position
            if op == "input":
                pass
            elif op == "zero" or not ports or max(ports) < 0:
                kept = -1
            elif op == "add":
                ports = [vertex for vertex in ports if vertex >= 0]
                if len(ports) == 1:
                    kept = ports[0]
            elif op in _SINGLE and len(ports) == 1:
                kept = ports[0]
            elif min(ports) < 0:
                ports = [
                    self._zero_like(source) if vertex < 0 else vertex
                    for source, vertex in zip(node.inputs, ports, strict=True)
                ]
            inputs[position] = ports
            stands_for.append(kept)
        return stands_for

    def _zero_like(self, position: int) -> int:
        """The vertex of zeros with the shape of a node; one for each shape."""
        if self._shapes is None:
            self._shapes = infer_shapes(self._graph, self._catalogue)
        shape = self._shapes[position]
        if shape not in self._zeros:
            self._zeros[shape] = len(self._nodes)
            path = self._graph.nodes[position].path
            self._nodes.append(Node(op="zero", attrs=(("shape", shape),), path=path))
            self._inputs.append([])
        return self._zeros[shape]

    def _needed(self, roots: list[int]) -> list[int]:
        """Rule 5: vertices that the outputs need, and all inputs, in a topological order."""
        seen = set(roots)
        todo = list(seen)
        while todo:
            for vertex in self._inputs[todo.pop()]:
                if vertex not in seen:
                    seen.add(vertex)
                    todo.append(vertex)
        count = len(self._graph.nodes)
        order = list(range(count, len(self._nodes)))
        order += [
            vertex for vertex in range(count) if vertex in seen or self._nodes[vertex].op == "input"
        ]
        return [vertex for vertex in order if vertex < count or vertex in seen]

    def _merge_sums(self, needed: list[int], outputs: list[tuple[str, int]]) -> list[int]:
        """Rule 6; returns the vertices that are left."""
        reads = Counter(vertex for reader in needed for vertex in self._inputs[reader])
        reads.update(vertex for _, vertex in outputs)
        merged: set[int] = set()
        for reader in needed:
            if self._nodes[reader].op != "add":
                continue
            ports: list[int] = []
            for vertex in self._inputs[reader]:
                if self._nodes[vertex].op == "add" and reads[vertex] == 1:
                    merged.add(vertex)
                    ports += self._inputs[vertex]
                else:
                    ports.append(vertex)
            self._inputs[reader] = ports
        return [vertex for vertex in needed if vertex not in merged]

    def _compact(self, needed: list[int], outputs: list[tuple[str, int]]) -> Reduced:
        """Vertices numbered anew, and rule 7."""
        number = {vertex: position for position, vertex in enumerate(needed)}
        nodes = [self._nodes[vertex] for vertex in needed]
        operations = [self._catalogue.at(node) for node in nodes]
        keys = [
            node.shared if operation.parametric else None
            for node, operation in zip(nodes, operations, strict=True)
        ]
        return Reduced(
            nodes=nodes,
            inputs=[[number[source] for source in self._inputs[vertex]] for vertex in needed],
            unordered=[operation.commutative for operation in operations],
            shared=_really_shared(nodes, keys)
            if any(key is not None for key in keys)
            else [None] * len(nodes),
            outputs=[(name, number[vertex]) for name, vertex in outputs],
        )


def _really_shared(nodes: list[Node], keys: list[str | None]) -> list[str | None]:
    if keys.count(None) == len(keys):
        return keys
    first: dict[str, Node] = {}
    for node, key in zip(nodes, keys, strict=True):
        if key is None:
            continue
        other = first.setdefault(key, node)
        if (other.op, other.attrs) != (node.op, node.attrs):
            raise SpaceError(
                f"the shared module {key!r} is {node.op}{dict(node.attrs)} here and "
                f"{other.op}{dict(other.attrs)} at {other.path or 'another node'}; one key names "
                "one module",
                path=node.path,
            )
    uses = Counter(keys)
    return [key if uses[key] > 1 else None for key in keys]
