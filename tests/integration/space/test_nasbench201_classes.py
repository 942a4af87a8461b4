"""NAS-Bench-201 counted: every cell, and how many different networks they build."""

from __future__ import annotations

from collections import defaultdict

from morphml import spaces


def test_the_cells_of_nasbench201_build_5425_different_networks() -> None:
    space = spaces.nasbench201((3, 8, 8), classes=10, cells=1, widths=(4,))
    costs: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    count = 0
    for member in space.members():
        count += 1
        costs[member.graph_id].add((member.params, member.flops))
    assert count == 15_625
    assert len(costs) == 5_425
    # Equal ids mean equal costs.
    assert {len(seen) for seen in costs.values()} == {1}


def test_all_zero_and_unconnected_cells_are_one_network() -> None:
    space = spaces.nasbench201((3, 8, 8), classes=10, cells=1, widths=(4,))
    nothing = {decision.path: "zero" for decision in space.decisions}
    loose = {**nothing, "cell/edge_0_1": "conv3x3", "cell/edge_1_2": "identity"}
    late = {**nothing, "cell/edge_2_3": "conv3x3", "cell/edge_1_3": "conv1x1"}
    ids = {space.member(values).graph_id for values in (nothing, loose, late)}
    assert len(ids) == 1
    assert space.member(nothing).params == 0


def test_cells_that_differ_by_the_order_of_their_nodes_are_one_network() -> None:
    space = spaces.nasbench201((3, 8, 8), classes=10, cells=1, widths=(4,))
    nothing = {decision.path: "zero" for decision in space.decisions}
    one = {**nothing, "cell/edge_0_1": "conv3x3", "cell/edge_1_3": "conv1x1"}
    other = {**nothing, "cell/edge_0_2": "conv3x3", "cell/edge_2_3": "conv1x1"}
    swapped = {**nothing, "cell/edge_0_1": "conv1x1", "cell/edge_1_3": "conv3x3"}
    ids = [space.member(values).graph_id for values in (one, other, swapped)]
    assert ids[0] == ids[1] != ids[2]
