"""How nodes of a cell share its channels."""

from __future__ import annotations

import numpy as np
import pytest

from morphml import choice
from morphml import layers as L
from morphml.errors import ShapeError, SpaceError
from morphml.space import SearchSpace
from morphml.space.compose import cell
from morphml.space.shared_width import shared_widths


def widths(width: int, *edges: tuple[int, int], end: int) -> dict[int, int]:
    wiring: dict[int, list[int]] = {}
    for source, target in sorted(edges):
        wiring.setdefault(target, []).append(source)
    return shared_widths(wiring, inputs=1, end=end, width=width)


def test_nodes_at_the_output_have_equal_shares_and_the_first_ones_the_rest() -> None:
    edges = [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)]
    assert widths(128, *edges, end=4) == {1: 43, 2: 43, 3: 42}
    assert widths(129, *edges, end=4) == {1: 43, 2: 43, 3: 43}


def test_other_nodes_are_as_wide_as_the_widest_that_they_feed() -> None:
    edges = [(0, 1), (1, 2), (1, 3), (0, 3), (2, 4), (3, 4)]
    assert widths(9, *edges, end=4) == {1: 5, 2: 5, 3: 4}


def test_node_that_feeds_the_output_and_another_has_its_share_only() -> None:
    assert widths(7, (0, 1), (1, 2), (1, 3), (2, 3), end=3) == {1: 4, 2: 3}


def test_input_at_the_output_takes_no_share() -> None:
    assert widths(7, (0, 1), (1, 2), (0, 2), end=2) == {1: 7}
    assert widths(7, (0, 2), end=2) == {}


def test_fewer_channels_than_nodes_are_refused() -> None:
    with pytest.raises(ShapeError, match="1 channels cannot be shared by 2 nodes"):
        widths(1, (0, 1), (0, 2), (1, 3), (2, 3), end=3)


def test_what_is_wider_is_cut_to_its_first_channels() -> None:
    searched = cell(on="nodes", nodes=3, ops=[L.relu()], merge="share", channels=5, name="cell")
    space = SearchSpace(input=(4, 6, 6), layers=[searched], hyper={"a": choice(1, 2)})
    edges = {(0, 1), (1, 2), (1, 3), (2, 4), (3, 4)}
    names = {4: "output"}
    wanted: dict[str, object] = {
        f"cell/edge_{i}_{names.get(j, j)}": (i, j) in edges for j in (1, 2, 3, 4) for i in range(j)
    }
    member = space.member({**wanted, "hyper/a": 1})
    narrowed = [
        (dict(node.attrs)["channels"], member.shapes[node.inputs[0]][0])
        for node in member.graph.nodes
        if node.op == "narrow"
    ]
    assert narrowed == [(2, 3)]
    assert member.shapes[member.graph.outputs[0][1]] == (5, 6, 6)


def test_every_member_has_the_width_of_the_cell() -> None:
    searched = cell(
        on="nodes",
        nodes=4,
        ops=[L.relu(), L.max_pool2d(3, 1, "same")],
        merge="share",
        channels=7,
        inputs=2,
    )
    space = SearchSpace(input=(3, 8, 8), layers=[searched, searched])
    rng = np.random.default_rng(5)
    for _ in range(50):
        member = space.sample(rng)
        assert member.shapes[member.graph.outputs[0][1]] == (7, 8, 8)


@pytest.mark.parametrize("wrong", [{"on": "edges"}, {"on": "nodes", "in_degree": 2}])
def test_share_is_for_free_nodes_only(wrong: dict[str, object]) -> None:
    with pytest.raises(SpaceError, match='merge="share"'):
        cell(nodes=2, ops=[L.relu()], merge="share", **wrong)  # type: ignore[arg-type]  # the case
