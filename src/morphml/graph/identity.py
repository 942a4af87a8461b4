"""The canonical form of a model graph, and the id that is its digest."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from morphml.graph.encoding import encode, exact
from morphml.graph.operation import Catalogue
from morphml.graph.operations import OPERATIONS
from morphml.graph.ordering import arrange, sorted_ports
from morphml.graph.reduction import MAY_VANISH, Reduced, reduce_graph
from morphml.graph.symmetry import TieBreak
from morphml.graph.values import ModelGraph, Node
from morphml.ids import GraphId, digest

#: Begins what is digested; a change of the rules needs another one.
_BEGIN = b'["morphml graph 1",'


def canonical(graph: ModelGraph, catalogue: Catalogue = OPERATIONS) -> ModelGraph:
    """What is built: graphs that are the same network get equal canonical forms.

    The rules of removal stand in `reduction`. What is left is put in one order: input nodes by
    name, then the order in which the outputs, by name, reach the nodes through the ports. Ports of
    commutative operations (`add`) are ordered by what they read; ties are decided in `symmetry`.
    Keys of shared modules become ``"0"``, ``"1"``, ... in that order. Paths are kept and compare
    equal. O(n log n) without ties.

    >>> x = OPERATIONS.node("input", (), {"name": "x", "shape": (4,)})
    >>> skip, zero = OPERATIONS.node("identity", (0,)), OPERATIONS.node("zero", (0,))
    >>> nodes = (x, skip, zero, OPERATIONS.node("add", (2, 1)), OPERATIONS.node("relu", (3,)))
    >>> [n.op for n in canonical(ModelGraph(nodes=nodes, outputs=(("y", 4),))).nodes]
    ['input', 'relu']

    Raises:
        SpaceError: an unknown operation; one shared key on two different operations.
        ShapeError: shapes do not fit, found only where zeros stay and need a shape.
    """
    if graph.is_canonical:
        return graph
    if _is_plain_chain(graph, catalogue):
        return graph.marked_canonical()
    reduced = reduce_graph(graph, catalogue)
    inputs = _ordered_inputs(reduced)
    order = arrange(reduced, inputs)
    place = [0] * len(order)
    for position, vertex in enumerate(order):
        place[vertex] = position
    modules: dict[str, str] = {}
    nodes = []
    for vertex in order:
        node = reduced.nodes[vertex]
        key = reduced.shared[vertex]
        if key is not None:
            key = modules.setdefault(key, str(len(modules)))
        ports = [place[source] for source in inputs[vertex]]
        if reduced.unordered[vertex]:
            ports.sort()
        read = tuple(ports)
        if read != node.inputs or key != node.shared:
            node = Node(op=node.op, attrs=node.attrs, inputs=read, path=node.path, shared=key)
        nodes.append(node)
    return ModelGraph(
        nodes=tuple(nodes),
        outputs=tuple([(name, place[vertex]) for name, vertex in reduced.outputs]),
    ).marked_canonical()


def graph_id(graph: ModelGraph, catalogue: Catalogue = OPERATIONS) -> GraphId:
    """The digest of the canonical form: equal ids mean that the same network is built.

    Stable across processes, hash seeds and Python versions. Raises what `canonical` raises.

    >>> x = OPERATIONS.node("input", (), {"name": "x", "shape": (4,)})
    >>> graph_id(ModelGraph(nodes=(x, OPERATIONS.node("relu", (0,))), outputs=(("y", 1),)))
    '21d42db71fb275e1fadc876e26d7e88a'
    """
    form = canonical(graph, catalogue)
    return id_of_nodes([node_bytes(node) for node in form.nodes], form.outputs)


def node_bytes(node: Node) -> bytes:
    """What a node of a canonical form adds to that which is digested."""
    return encode([node.op, exact(node.attrs), node.inputs, node.shared])


def id_of_nodes(nodes: Iterable[bytes], outputs: tuple[tuple[str, int], ...]) -> GraphId:
    """The id of a canonical form from the `node_bytes` of its nodes, in their order."""
    # The bytes of one list of three: the version, the list of nodes, the list of outputs.
    return GraphId(digest(b"%b[%b],%b]" % (_BEGIN, b",".join(nodes), encode(list(outputs)))))


def _is_plain_chain(graph: ModelGraph, catalogue: Catalogue) -> bool:
    """True for one input and operations in a row that no rule could change: most of all graphs."""
    nodes, outputs = graph.nodes, graph.outputs
    if nodes[0].op != "input" or len(outputs) != 1 or outputs[0][1] != len(nodes) - 1:
        return False
    for previous, node in enumerate(nodes[1:]):
        if node.inputs != (previous,) or node.op in MAY_VANISH or node.shared is not None:
            return False
    # One node for each operation is enough to find one that the catalogue does not know.
    for node in {node.op: node for node in reversed(nodes)}.values():
        catalogue.at(node)
    return True


def _ordered_inputs(reduced: Reduced) -> list[list[int]]:
    """The inputs of every vertex with unordered ports in canonical order."""
    if not any(reduced.unordered):
        return reduced.inputs
    labels = [
        encode([node.op, exact(node.attrs), shared is not None])
        for node, shared in zip(reduced.nodes, reduced.shared, strict=True)
    ]
    colours: list[bytes] = []
    tied = False
    for label, ports, loose in zip(labels, reduced.inputs, reduced.unordered, strict=True):
        below = [colours[source] for source in ports]
        if loose:
            below.sort()
            tied = tied or len(set(below)) < len(set(ports))
        colours.append(blake2b(label + b"".join(below), digest_size=16).digest())
    if tied:
        return sorted_ports(reduced, TieBreak(reduced, labels, colours).ranks())
    return sorted_ports(reduced, colours)
