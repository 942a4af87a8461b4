"""Cells: the graphs they become, what they share, how many there are."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from morphml import layers as L
from morphml.errors import ShapeError, SpaceError
from morphml.space import Architecture, SearchSpace, cell, channels, choice, repeat, sequence

CONV = sequence(L.relu(), L.conv2d(channels(), 3), L.batch_norm(), name="conv")


def image(*layers: object) -> SearchSpace:
    return SearchSpace(input=(4, 8, 8), layers=layers)


def edges(member: Architecture) -> list[tuple[str, tuple[int, ...]]]:
    return [(node.op, node.inputs) for node in member.graph.nodes]


def test_operations_on_all_edges_are_added_at_the_nodes() -> None:
    ops = [L.zero(), L.identity(), L.conv2d(channels(), 3)]
    space = image(cell(on="edges", nodes=2, ops=ops, merge="last"))
    assert int(space.size) == 3**3
    member = space.member({"cell/edge_0_1": "conv2d", "cell/edge_0_2": "identity"})
    assert edges(member) == [
        ("input", ()), ("conv2d", (0,)), ("identity", (0,)), ("zero", (1,)), ("add", (2, 3)),
    ]  # fmt: skip
    assert [n.op for n in member.canonical.nodes] == ["input"]
    assert dict(member.graph.nodes[1].attrs)["filters"] == 4


def test_named_cell_shares_decisions_but_not_weights() -> None:
    searched = cell(on="edges", nodes=1, ops=[L.identity(), CONV], name="normal")
    space = image(searched, L.max_pool2d(2), searched, repeat(searched, times=2))
    assert [d.path for d in space.decisions] == ["normal/edge_0_1"]
    member = space.member({"normal/edge_0_1": "conv"})
    assert [n.op for n in member.graph.nodes].count("conv2d") == 4
    assert member.params == 4 * (4 * 4 * 9 + 4 + 2 * 4)
    paths = [n.path for n in member.graph.nodes if n.op == "conv2d"]
    assert paths == [
        "normal/edge_0_1/conv/conv2d",
        "normal_2/edge_0_1/conv/conv2d",
        "body/0/normal/edge_0_1/conv/conv2d",
        "body/1/normal/edge_0_1/conv/conv2d",
    ]


def test_two_inputs_are_the_last_two_cells() -> None:
    searched = cell(on="nodes", nodes=1, ops=[L.identity(), L.relu()], inputs=2, in_degree=2)
    member = image(searched, searched, L.elu(), searched).default()
    assert edges(member) == [
        ("input", ()),
        ("add", (0, 0)), ("identity", (1,)),
        ("add", (0, 2)), ("identity", (3,)),
        ("elu", (4,)),
        ("add", (2, 5)), ("identity", (6,)),
    ]  # fmt: skip


def test_inputs_of_different_size_are_projected_to_one_shape() -> None:
    searched = cell(on="nodes", nodes=1, ops=[L.identity()], inputs=2, in_degree=2, channels=6)
    member = image(searched, L.max_pool2d(2), searched).default()
    projected = [(n.path, dict(n.attrs)["shape"]) for n in member.graph.nodes if n.op == "project"]
    assert projected == [
        ("cell/input_0", (6, 8, 8)), ("cell_2/input_0", (6, 4, 4)),
    ]  # fmt: skip
    assert member.shapes[-1] == (6, 4, 4)


def test_reduction_strides_the_edges_that_leave_the_inputs() -> None:
    ops = [L.max_pool2d(3, 1, "same"), CONV, L.identity(), L.zero()]
    space = image(cell(on="edges", nodes=2, ops=ops, reduce=True, channels=8, merge="last"))
    member = space.member(
        {"cell/edge_0_1": "conv", "cell/edge_0_2": "identity", "cell/edge_1_2": "conv"}
    )
    strides = [dict(n.attrs)["stride"] for n in member.graph.nodes if n.op == "conv2d"]
    assert strides == [2, 1]
    assert member.shapes[-1] == (8, 4, 4)
    pooled = space.member({"cell/edge_0_1": "max_pool2d", "cell/edge_0_2": "zero"})
    assert pooled.shapes[-1] == (8, 4, 4)
    assert dict(pooled.graph.nodes[2].attrs)["stride"] == 2
    for vector in ((i, j, k) for i in range(4) for j in range(4) for k in range(4)):
        assert space.architecture(vector).shapes[-1] == (8, 4, 4)


def test_reduction_needs_an_image() -> None:
    with pytest.raises(ShapeError, match="channels, height, width"):
        SearchSpace(input=(4,), layers=[cell(on="nodes", nodes=1, ops=[L.relu()], reduce=True)])


def test_in_degree_picks_distinct_sources() -> None:
    ops = [L.identity(), L.relu(), L.elu()]
    space = image(cell(on="edges", nodes=4, ops=ops, inputs=2, in_degree=2, merge="concat"))
    # Nodes 2..5 choose 2 of 2, 3, 4, 5 sources, and an operation for each.
    assert int(space.size) == comb(3, 2) * comb(4, 2) * comb(5, 2) * 9**4
    picks = {d.path: d.options for d in space.decisions if d.path.endswith("inputs")}
    assert picks["cell/node_3/inputs"] == ((0, 1), (0, 2), (1, 2))
    assert space.default().shapes[-1] == (16, 8, 8)


def test_nodes_that_nobody_reads_are_the_output() -> None:
    space = image(cell(on="nodes", nodes=3, ops=[L.relu()], in_degree=1, merge="concat"))
    member = space.member({"cell/node_2/inputs": [0], "cell/node_3/inputs": [1]})
    assert edges(member)[-1] == ("concat", (2, 3))


def test_limit_on_edges_counts_those_that_are_not_zero() -> None:
    ops = [L.identity(), L.zero(), L.relu()]
    space = image(cell(on="edges", nodes=2, ops=ops, max_edges=2))
    assert int(space.size) == 1 + 3 * 2 + 3 * 4
    rng = np.random.Generator(np.random.PCG64(1))
    member = space.sample(rng)
    seen = set()
    for _ in range(300):
        member = space.mutate(member, rng)
        seen.add(member.vector)
        assert sum(code != 1 for code in member.vector) <= 2
    assert len(seen) == 19
    with pytest.raises(SpaceError, match="the nearest is 'zero'"):
        space.architecture((0, 0, 0))


def test_merge_last_needs_a_last_node() -> None:
    with pytest.raises(SpaceError, match="merge="):
        image(cell(on="nodes", nodes=2, ops=[L.relu()], merge="last"))


def test_open_operations_are_decided_for_each_edge() -> None:
    ops = [L.conv2d(channels(), choice(1, 3)), L.identity()]
    space = image(repeat(cell(on="edges", nodes=1, ops=ops), times=2))
    assert [d.path for d in space.decisions] == [
        "body/0/cell/edge_0_1",
        "body/0/cell/edge_0_1/conv2d/kernel_size",
        "body/1/cell/edge_0_1",
        "body/1/cell/edge_0_1/conv2d/kernel_size",
    ]
    assert int(space.size) == 9


def test_cells_in_branches_know_the_cell_before_the_branching() -> None:
    from morphml.space import parallel

    searched = cell(on="nodes", nodes=1, ops=[L.relu()], inputs=2, in_degree=2)
    member = image(searched, parallel([searched, searched])).default()
    adds = [n.inputs for n in member.graph.nodes if n.op == "add"]
    assert adds[:3] == [(0, 0), (0, 2), (0, 2)]
