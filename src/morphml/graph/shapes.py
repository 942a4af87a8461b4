"""Shape inference: every node's output shape, or the operation where shapes do not fit."""

from __future__ import annotations

from morphml.errors import ShapeError, SpaceError
from morphml.graph.attribute import Attrs
from morphml.graph.operation import Catalogue, Operation
from morphml.graph.operations import OPERATIONS
from morphml.graph.values import ModelGraph, Node, Shape


def infer_shapes(graph: ModelGraph, catalogue: Catalogue = OPERATIONS) -> tuple[Shape, ...]:
    """The output shape of every node, aligned with ``graph.nodes``; O(nodes + edges).

    >>> image = OPERATIONS.node("input", (), {"name": "x", "shape": (3, 32, 32)})
    >>> conv = OPERATIONS.node("conv2d", (0,), {"filters": 16, "stride": 2})
    >>> infer_shapes(ModelGraph(nodes=(image, conv), outputs=(("y", 1),)))
    ((3, 32, 32), (16, 16, 16))

    Raises:
        ShapeError: at the first operation whose inputs do not fit, with its path and the shapes.
        SpaceError: an operation that the catalogue does not know, or a wrong number of inputs.
    """
    shapes: list[Shape] = []
    for node in graph.nodes:
        shapes.append(infer_node(node, tuple([shapes[i] for i in node.inputs]), catalogue))
    return tuple(shapes)


def infer_node(node: Node, inputs: tuple[Shape, ...], catalogue: Catalogue = OPERATIONS) -> Shape:
    """The output shape of one node from the shapes of its inputs, in port order.

    Raises:
        ShapeError: the shapes do not fit; the message names the path and the shapes.
        SpaceError: an unknown operation, or a wrong number of inputs.
    """
    return infer_output(node, catalogue.at(node), inputs, dict(node.attrs))


def infer_output(
    node: Node, operation: Operation, inputs: tuple[Shape, ...], attrs: Attrs
) -> Shape:
    """The same for a caller that has the operation and the attributes at hand."""
    least, most = operation.arity
    if len(inputs) < least or (most is not None and len(inputs) > most):
        raise SpaceError(_wrong_arity(operation, inputs), path=node.path)
    try:
        return operation.infer(inputs, attrs)
    except ShapeError as error:
        raise ShapeError(str(error), path=node.path, shapes=error.shapes or inputs) from None
    except SpaceError as error:
        raise SpaceError(str(error), path=node.path) from None


def _wrong_arity(operation: Operation, inputs: tuple[Shape, ...]) -> str:
    least, most = operation.arity
    wanted = f"{least}" if most == least else f"{least} to {'any number' if most is None else most}"
    return f"{operation.name} takes {wanted} inputs, got {len(inputs)}"
