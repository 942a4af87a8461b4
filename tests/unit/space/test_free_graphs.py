"""Free graphs: counted, listed, repaired and moved; every one a graph of its own."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morphml import layers as L
from morphml.space import GraphSpace, SearchSpace, channels, choice, repeat
from morphml.space.free_graph import FreeGraph
from morphml.space.graph_counting import graphs, wirings
from morphml.space.graph_layout import GraphLayout, bits, edge_count
from morphml.space.guards import ALWAYS


def layout(inputs: int, nodes: int, ops: int, most: int) -> GraphLayout:
    return GraphLayout(
        inputs=inputs,
        nodes=nodes,
        ops=ops,
        most=most,
        operations=tuple(range(nodes)),
        first_edge=nodes,
    )


def is_valid(masks: list[int], where: GraphLayout) -> bool:
    """Judged apart from the code under test: every node reads and is read; the output reads."""
    used = [node for node in range(where.inputs, where.end) if masks[node]]
    read = {source for mask in masks for source in bits(mask)}
    return (
        masks[where.end] > 0
        and set(used) == {node for node in read if node >= where.inputs}
        and edge_count(masks) <= where.most
    )


@pytest.mark.parametrize(
    ("inputs", "nodes", "ops", "most"),
    [(1, 0, 1, 1), (1, 1, 2, 3), (1, 2, 1, 6), (1, 3, 2, 10), (1, 3, 2, 4), (2, 2, 2, 5)],
)
def test_count_is_what_listing_and_brute_force_find(
    inputs: int, nodes: int, ops: int, most: int
) -> None:
    where = layout(inputs, nodes, ops, most)
    group = FreeGraph(layout=where, guard=ALWAYS)
    size = nodes + len(where.edge_indices)
    listed = {tuple(codes) for codes in group.settings([None] * size)}
    brute = 0
    targets = range(inputs, where.end + 1)
    for picked in product(*(range(1 << target) for target in targets)):
        masks = [0] * inputs + list(picked)
        if is_valid(masks, where):
            brute += ops ** sum(1 for node in range(inputs, where.end) if masks[node])
    assert len(listed) == brute == group.count(ops) == graphs(inputs, nodes, most, ops)


def test_nasbench101_has_as_many_labelled_cells_as_counted() -> None:
    # 7 vertices, 9 edges, 3 operations; labelled graphs, each node on a path.
    assert graphs(1, 5, 9, 3) == 1_824_025
    assert sum(wirings(1, 0, 9).values()) == 1


@given(data=st.data())
def test_any_wiring_is_repaired_to_a_valid_one_and_valid_ones_stay(data: st.DataObject) -> None:
    inputs, nodes = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 6))
    where = layout(inputs, nodes, 2, data.draw(st.integers(1, 12)))
    group = FreeGraph(layout=where, guard=ALWAYS)
    masks = [0] * inputs + [
        data.draw(st.integers(0, (1 << target) - 1)) for target in range(inputs, where.end + 1)
    ]
    repaired = group.repaired(masks)
    assert is_valid(repaired, where)
    assert group.repaired(repaired) == repaired
    if is_valid(masks, where):
        assert repaired == masks


def space_of(nodes: int, most: int | None = None) -> SearchSpace:
    ops = [L.conv2d(choice(2, 4), 3), L.max_pool2d(2), L.relu()]
    head = (L.global_avg_pool(), L.output(2))
    return GraphSpace(input=(2, 8, 8), max_nodes=nodes, max_edges=most, ops=ops, head=head)


def test_space_has_one_decision_for_each_operation_and_edge() -> None:
    space = space_of(3)
    paths = [d.path for d in space.decisions]
    assert [p for p in paths if p.endswith("op")] == [f"graph/node_{n}/op" for n in (1, 2, 3)]
    assert [p for p in paths if "edge" in p] == [
        "graph/edge_0_1",
        "graph/edge_0_2", "graph/edge_1_2",
        "graph/edge_0_3", "graph/edge_1_3", "graph/edge_2_3",
        "graph/edge_0_output", "graph/edge_1_output", "graph/edge_2_output", "graph/edge_3_output",
    ]  # fmt: skip
    assert int(space.size) == graphs(1, 3, 10, 2 + 1 + 1)


def test_unused_nodes_and_their_edges_are_inactive() -> None:
    space = space_of(3)
    member = space.member({"graph/edge_0_2": True, "graph/edge_2_output": True})
    assert member.decisions == {
        "graph/node_2/op": "conv2d",
        "graph/node_2/op/conv2d/filters": 2,
        "graph/edge_0_2": True,
        "graph/edge_0_output": False,
        "graph/edge_2_output": True,
    }
    assert [n.op for n in member.graph.nodes] == ["input", "conv2d", "global_avg_pool", "dense"]


def test_graph_that_reaches_no_output_is_no_member() -> None:
    space = space_of(2)
    verdict = space.contains({"graph/edge_0_1": True})
    assert not verdict and "graph/edge_0_1" in verdict.reason


def test_too_many_edges_are_no_member() -> None:
    space = space_of(2, 2)
    edges = {"graph/edge_0_1": True, "graph/edge_1_output": True, "graph/edge_0_output": True}
    assert not space.contains(edges)
    del edges["graph/edge_0_output"]
    assert space.contains(edges)


def test_draws_use_all_numbers_of_nodes_evenly_enough() -> None:
    space = space_of(8, 20)
    rng = np.random.Generator(np.random.PCG64(5))
    counts = [0] * 9
    for _ in range(900):
        member = space.sample(rng)
        counts[sum(p.endswith("op") for p in member.decisions)] += 1
    assert min(counts) > 40, counts


def test_mutation_changes_operations_edges_and_nodes() -> None:
    space = space_of(6, 12)
    rng = np.random.Generator(np.random.PCG64(6))
    kinds: set[str] = set()
    member = space.sample(rng)
    for _ in range(300):
        child = space.mutate(member, rng)
        kinds.add(_kind(member.decisions, child.decisions))
        assert space.contains(child)
        member = child
    assert kinds == {"operation", "edge more", "edge less", "edge moved", "node more", "node less"}


def _kind(before: dict[str, object], after: dict[str, object]) -> str:
    nodes = [{p for p in side if p.endswith("/op")} for side in (before, after)]
    edges = [{p for p, v in side.items() if v is True} for side in (before, after)]
    if len(nodes[0]) != len(nodes[1]):
        return "node more" if len(nodes[1]) > len(nodes[0]) else "node less"
    if edges[0] == edges[1]:
        return "operation"
    if len(edges[0]) == len(edges[1]):
        return "edge moved"
    return "edge more" if len(edges[1]) > len(edges[0]) else "edge less"


def test_neighbours_of_a_graph_turn_edges_and_operations() -> None:
    space = space_of(2)
    member = space.member({"graph/edge_0_1": True, "graph/edge_1_output": True})
    found = [n.decisions for n in space.neighbours(member)]
    assert any("graph/edge_0_output" in d and d["graph/edge_0_output"] is True for d in found)
    assert {d.get("graph/node_1/op") for d in found} >= {"conv2d", "max_pool2d", "relu"}


def test_unlimited_and_optional_graphs_are_spaces_like_others() -> None:
    from morphml.space import cell, integer

    graph = cell(on="nodes", nodes=2, ops=[L.conv2d(channels(), 1), L.relu()], max_edges=4)
    space = SearchSpace(
        input=(2, 8, 8), layers=[repeat(graph, times=integer(0, 2)), L.global_avg_pool()]
    )
    one = graphs(1, 2, 4, 2)
    assert int(space.size) == 1 + one + one**2
    zero = space.member({"body/times": 0})
    assert list(zero.decisions) == ["body/times"]
