"""The full check of a graph that comes from outside, such as a file."""

from __future__ import annotations

from dataclasses import replace

from morphml.errors import ShapeError, SpaceError
from morphml.graph.operation import Catalogue
from morphml.graph.operations import OPERATIONS
from morphml.graph.shapes import infer_shapes
from morphml.graph.values import ModelGraph, Node

_INDEX_TYPES = frozenset({"int64", "int32", "int16", "int8", "uint8"})
_FLOAT_TYPES = frozenset({"float32", "float64", "float16", "bfloat16"})
#: Operations that hand on the type of number they get.
_HAND_ON = frozenset({"identity", "flatten", "reshape", "concat"})


def checked(graph: ModelGraph, catalogue: Catalogue = OPERATIONS) -> ModelGraph:
    """The graph with all attributes checked and completed; its shapes and number types fit.

    Raises:
        SpaceError: an unknown operation or attribute, a wrong value, or two inputs of one name.
        ShapeError: shapes do not fit; or integers arrive where numbers are needed, or the reverse.
    """
    nodes = tuple(
        [
            replace(catalogue.node(n.op, n.inputs, dict(n.attrs), path=n.path), shared=n.shared)
            for n in graph.nodes
        ]
    )
    done = replace(graph, nodes=nodes)
    names = graph.input_names
    if len(set(names)) < len(names):
        raise SpaceError(f"input names must be unique, got {', '.join(names)}")
    shapes = infer_shapes(done, catalogue)
    integers: list[bool] = []
    for node in nodes:
        arriving = [integers[source] for source in node.inputs]
        _check_numbers(node, arriving, tuple(shapes[source] for source in node.inputs))
        integers.append(
            dict(node.attrs)["dtype"] in _INDEX_TYPES
            if node.op == "input"
            else node.op in _HAND_ON and all(arriving)
        )
    return done


def _check_numbers(node: Node, integers: list[bool], shapes: tuple[tuple[int, ...], ...]) -> None:
    if node.op == "input":
        dtype = dict(node.attrs)["dtype"]
        if dtype not in _INDEX_TYPES | _FLOAT_TYPES:
            known = ", ".join(sorted(_INDEX_TYPES | _FLOAT_TYPES))
            raise SpaceError(f"dtype {dtype!r} is not one of {known}", path=node.path)
    elif node.op == "embedding":
        if not all(integers):
            raise ShapeError(
                f"embedding looks up integers, and its input {shapes[0]} is not an integer input; "
                "give the input dtype='int64'",
                path=node.path,
                shapes=shapes,
            )
    elif any(integers) and node.op not in _HAND_ON and not node.op.startswith("custom:"):
        raise ShapeError(
            f"{node.op} needs real numbers, and an integer input of shape {shapes[0]} arrives; "
            "put an embedding before it, or give the input dtype='float32'",
            path=node.path,
            shapes=shapes,
        )
