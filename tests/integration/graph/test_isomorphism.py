"""Equal ids exactly where graphs are isomorphic: brute force, networkx, and the hard cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, permutations, product

import networkx as nx
import numpy as np
import pytest
from networkx.algorithms.isomorphism import categorical_node_match

from morphml.graph import OPERATIONS, ModelGraph, Node, canonical, graph_id
from morphml.ids import GraphId

LAYERS = {name: OPERATIONS.node(name) for name in ("relu", "tanh")}
INPUT = OPERATIONS.node("input", (), {"name": "x", "shape": (4,)})


def network(edges: set[tuple[int, int]], labels: tuple[str, ...]) -> ModelGraph:
    """Vertex 0 is the input; each later vertex is a layer on the sum of what points to it."""
    nodes = [INPUT]
    place = [0]
    for vertex, label in enumerate(labels, start=1):
        nodes.append(
            Node(op="add", inputs=tuple(place[a] for a, b in sorted(edges) if b == vertex))
        )
        nodes.append(Node(op=label, inputs=(len(nodes) - 1,)))
        place.append(len(nodes) - 1)
    return ModelGraph(nodes=tuple(nodes), outputs=(("y", place[-1]),))


def all_networks(size: int) -> Iterator[tuple[set[tuple[int, int]], tuple[str, ...]]]:
    """Every labelled graph of ``size`` vertices all of which lie between input and output."""
    pairs = list(combinations(range(size), 2))
    for bits in product((False, True), repeat=len(pairs)):
        edges = {pair for pair, bit in zip(pairs, bits, strict=True) if bit}
        if {a for a, _ in edges} | {b for _, b in edges} != set(range(size)):
            continue
        if {a for a, _ in edges} < set(range(size - 1)) or {b for _, b in edges} < set(
            range(1, size)
        ):
            continue
        for labels in product(LAYERS, repeat=size - 1):
            yield edges, labels


def as_networkx(edges: set[tuple[int, int]], labels: tuple[str, ...]) -> nx.DiGraph:
    graph = nx.DiGraph()
    last = len(labels)
    for vertex, label in enumerate(("input", *labels)):
        graph.add_node(vertex, label=label, end=vertex == last)
    graph.add_edges_from(edges)
    return graph


@pytest.mark.parametrize(("size", "count", "classes"), [(3, 8, 8), (4, 80, 76), (5, 1952, 1488)])
def test_ids_of_all_small_graphs_agree_with_networkx(size: int, count: int, classes: int) -> None:
    match = categorical_node_match(["label", "end"], [None, None])
    by_id: dict[GraphId, nx.DiGraph] = {}
    seen = 0
    for edges, labels in all_networks(size):
        seen += 1
        graph = as_networkx(edges, labels)
        first = by_id.setdefault(graph_id(network(edges, labels)), graph)
        assert first is graph or nx.is_isomorphic(first, graph, match), (edges, labels)
    alike: defaultdict[tuple[object, ...], list[nx.DiGraph]] = defaultdict(list)
    for graph in by_id.values():
        key = sorted(
            (d["label"], graph.in_degree(v), graph.out_degree(v)) for v, d in graph.nodes.data()
        )
        alike[tuple(key)].append(graph)
    for group in alike.values():
        for one, other in combinations(group, 2):
            assert not nx.is_isomorphic(one, other, match), (one.edges, other.edges)
    assert (seen, len(by_id)) == (count, classes)


def smallest_form(graph: ModelGraph) -> tuple[object, ...]:
    """The least writing of a canonical form over all orders of its nodes, by trying all."""
    form = canonical(graph)
    best: tuple[object, ...] | None = None
    for inner in permutations(range(1, len(form.nodes))):
        order = (0, *inner)
        place = {vertex: position for position, vertex in enumerate(order)}
        keys: dict[str, int] = {}
        written = []
        for vertex in order:
            node = form.nodes[vertex]
            ports = [place[source] for source in node.inputs]
            if node.op == "add":
                ports.sort()
            key = -1 if node.shared is None else keys.setdefault(node.shared, len(keys))
            written.append((node.op, node.attrs, tuple(ports), key))
        outputs = tuple((name, place[vertex]) for name, vertex in form.outputs)
        candidate = (*written, outputs)
        if best is None or candidate < best:
            best = candidate
    assert best is not None
    return best


def test_ids_of_graphs_with_sharing_and_ordered_ports_agree_with_trying_all_orders() -> None:
    rng = np.random.default_rng(3)
    by_form: dict[tuple[object, ...], GraphId] = {}
    graphs = 0
    while graphs < 150:
        graph = tangled(rng)
        if len(canonical(graph).nodes) != 6:
            continue
        graphs += 1
        form, name = smallest_form(graph), graph_id(graph)
        assert by_form.setdefault(form, name) == name
    assert len(set(by_form.values())) == len(by_form)
    assert len(by_form) < graphs


def tangled(rng: np.random.Generator) -> ModelGraph:
    """Dense layers, some shared, under sums and concatenations, all of one shape: many ties."""
    nodes = [INPUT]
    layers = [0]
    for _ in range(4):
        key = str(rng.choice(["", "m", "m", "n"])) or None
        source = int(rng.choice([0, layers[-1]]))
        nodes.append(OPERATIONS.node("dense", (source,), {"units": 4}, shared=key))
        layers.append(len(nodes) - 1)
    ports = tuple(int(v) for v in rng.permutation(layers[1:])[: int(rng.integers(2, 5))])
    nodes.append(OPERATIONS.node(str(rng.choice(["add", "concat"])), ports))
    return ModelGraph(nodes=tuple(nodes), outputs=(("y", len(nodes) - 1),))


def incidence(graph: nx.Graph, rng: np.random.Generator) -> ModelGraph:
    """A layer for each vertex, a layer on a sum for each edge, all summed; written at random."""
    nodes = [INPUT]
    place = {}
    for index in rng.permutation(len(graph.nodes)):
        nodes.append(Node(op="relu", inputs=(0,)))
        place[list(graph.nodes)[index]] = len(nodes) - 1
    tops = []
    for index in rng.permutation(len(graph.edges)):
        ends = [place[vertex] for vertex in list(graph.edges)[index]]
        nodes.append(Node(op="add", inputs=tuple(int(v) for v in rng.permutation(ends))))
        nodes.append(Node(op="tanh", inputs=(len(nodes) - 1,)))
        tops.append(len(nodes) - 1)
    nodes.append(Node(op="add", inputs=tuple(tops)))
    return ModelGraph(nodes=tuple(nodes), outputs=(("y", len(nodes) - 1),))


def shrikhande() -> nx.Graph:
    steps = ((0, 1), (1, 0), (1, 1))
    graph = nx.Graph()
    for i, j in product(range(4), repeat=2):
        graph.add_edges_from(((i, j), ((i + a) % 4, (j + b) % 4)) for a, b in steps)
    return graph


LOOK_ALIKE = {
    "12-cycle and two 6-cycles": (
        nx.cycle_graph(12),
        nx.disjoint_union(nx.cycle_graph(6), nx.cycle_graph(6)),
    ),
    "6-cycle and two triangles": (
        nx.cycle_graph(6),
        nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3)),
    ),
    "prism and K3,3": (nx.circular_ladder_graph(3), nx.complete_bipartite_graph(3, 3)),
    "rook and Shrikhande": (nx.line_graph(nx.complete_bipartite_graph(4, 4)), shrikhande()),
}


@pytest.mark.parametrize("name", LOOK_ALIKE)
def test_graphs_that_refinement_cannot_tell_apart_get_two_ids(name: str) -> None:
    rng = np.random.default_rng(11)
    ids = [{graph_id(incidence(graph, rng)) for _ in range(4)} for graph in LOOK_ALIKE[name]]
    assert [len(found) for found in ids] == [1, 1]
    assert ids[0] != ids[1]


def bare_cycles(sizes: tuple[int, ...]) -> ModelGraph:
    """A DAG of 14 vertices: a source, six layers, six sums of two layers each, a sink."""
    nodes = [INPUT, *[Node(op="relu", inputs=(0,)) for _ in range(6)]]
    tops, first = [], 1
    for size in sizes:
        for step in range(size):
            ends = (first + step, first + (step + 1) % size)
            nodes.append(Node(op="add", inputs=ends))
            nodes.append(Node(op="relu", inputs=(len(nodes) - 1,)))
            tops.append(len(nodes) - 1)
        first += size
    nodes.append(Node(op="add", inputs=tuple(tops)))
    return ModelGraph(nodes=tuple(nodes), outputs=(("y", len(nodes) - 1),))


def test_twelve_cycle_is_not_two_six_cycles_in_a_dag_of_fourteen() -> None:
    assert graph_id(bare_cycles((6,))) != graph_id(bare_cycles((3, 3)))


def test_many_equal_branches_take_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty equal branches of three layers each have 40! symmetries; one look must do."""

    def branches(count: int) -> ModelGraph:
        nodes, ends = [INPUT], []
        for _ in range(count):
            nodes.append(Node(op="relu", inputs=(0,)))
            nodes.append(Node(op="tanh", inputs=(len(nodes) - 1,)))
            nodes.append(Node(op="relu", inputs=(len(nodes) - 1,)))
            ends.append(len(nodes) - 1)
        nodes.append(Node(op="add", inputs=tuple(ends)))
        return ModelGraph(nodes=tuple(nodes), outputs=(("y", len(nodes) - 1),))

    from morphml.graph.symmetry import TieBreak

    def refuse(*_: object) -> int:
        raise AssertionError("searched")

    monkeypatch.setattr(TieBreak, "_search", refuse)
    assert graph_id(branches(40)) != graph_id(branches(39))
