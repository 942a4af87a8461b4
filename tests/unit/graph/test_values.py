"""Node and ModelGraph: what is accepted, what is refused, and the JSON form."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest

from morphml.errors import ShapeError, SpaceError
from morphml.graph import OPERATIONS, ModelGraph, Node, checked, graph_id

make = OPERATIONS.node


def small(path: str = "") -> ModelGraph:
    return ModelGraph(
        nodes=(
            make("input", (), {"name": "image", "shape": (3, 8, 8)}),
            make("conv2d", (0,), {"filters": 4, "kernel_size": (3, 5)}, path=path, shared="k"),
            make("dropout", (1,), {"rate": 0.25}),
        ),
        outputs=(("y", 2),),
    )


def test_node_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        small().nodes[0].op = "zero"  # type: ignore[misc]  # that is the point


def test_equality_ignores_paths_and_nothing_else() -> None:
    assert small("a") == small("b")
    assert hash(small("a")) == hash(small("b"))
    assert small() != ModelGraph(nodes=small().nodes, outputs=(("z", 2),))


@pytest.mark.parametrize("source", [1, 2, -1])
def test_graph_refuses_an_input_that_is_not_an_earlier_node(source: int) -> None:
    with pytest.raises(SpaceError, match=rf"^body/1: node 1 \(relu\) reads node {source}"):
        ModelGraph(
            nodes=(small().nodes[0], Node(op="relu", inputs=(source,), path="body/1")),
            outputs=(("y", 1),),
        )


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ((), "at least one output"),
        ((("y", 3),), "points to node 3; there are 3 nodes"),
        ((("b", 1), ("a", 2)), "unique and sorted; 'a' follows 'b'"),
        ((("a", 1), ("a", 2)), "unique and sorted"),
    ],
)
def test_graph_refuses_wrong_outputs(outputs: tuple[tuple[str, int], ...], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        ModelGraph(nodes=small().nodes, outputs=outputs)


def test_json_form_reads_back_equal_with_paths() -> None:
    graph = small("body/0")
    back = ModelGraph.from_json(json.loads(json.dumps(graph.to_json())))
    assert back == graph
    assert back.nodes[1].path == "body/0"
    assert graph_id(checked(back)) == graph_id(graph)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "a model graph must be a mapping"),
        ({"format": 9}, "'format' of a model graph is 9"),
        ({"format": 1, "nodes": 3, "outputs": {}}, "field 'nodes' must be a list"),
        ({"format": 1, "nodes": [{"op": 3}], "outputs": {}}, r"nodes\[0\].op must be text"),
        (
            {"format": 1, "nodes": [{"op": "add", "inputs": [True]}], "outputs": {}},
            r"nodes\[0\].inputs must be an integer",
        ),
        (
            {"format": 1, "nodes": [{"op": "add", "attrs": {"a": {}}}], "outputs": {}},
            r"nodes\[0\].attrs.a must be a scalar",
        ),
        ({"format": 1, "nodes": [], "outputs": {"y": "0"}}, r"outputs\['y'\] must be an integer"),
    ],
)
def test_json_of_another_form_is_refused_where_it_is_wrong(data: object, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        ModelGraph.from_json(data)


def test_checked_completes_attributes_and_refuses_wrong_ones() -> None:
    image = make("input", (), {"name": "x", "shape": (3, 8, 8)})
    short = ModelGraph(
        nodes=(image, Node(op="conv2d", attrs=(("filters", 4),), inputs=(0,), path="body/0")),
        outputs=(("y", 1),),
    )
    assert checked(short).nodes[1] == make("conv2d", (0,), {"filters": 4})
    wrong = ModelGraph(
        nodes=(image, Node(op="conv2d", attrs=(("filters", 0),), inputs=(0,), path="body/0")),
        outputs=(("y", 1),),
    )
    with pytest.raises(SpaceError, match=r"^body/0: conv2d: filters must be at least 1, got 0"):
        checked(wrong)


def test_checked_refuses_floats_into_an_embedding_and_integers_into_a_dense() -> None:
    def graph(dtype: str, op: str, attrs: dict[str, object]) -> ModelGraph:
        tokens = make("input", (), {"name": "t", "shape": (7,), "dtype": dtype})
        return ModelGraph(nodes=(tokens, make(op, (0,), attrs, path="p")), outputs=(("y", 1),))

    table = {"vocabulary": 10, "units": 4}
    checked(graph("int64", "embedding", table))
    with pytest.raises(ShapeError, match=r"^p: embedding looks up integers"):
        checked(graph("float32", "embedding", table))
    with pytest.raises(ShapeError, match=r"^p: dense needs real numbers"):
        checked(graph("int64", "dense", {"units": 3}))
    with pytest.raises(SpaceError, match="dtype 'complex' is not one of"):
        checked(graph("complex", "relu", {}))
