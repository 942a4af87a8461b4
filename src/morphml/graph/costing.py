"""Costs of a model graph: shapes, parameters, FLOPs and activation memory before training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from morphml.errors import ShapeError
from morphml.graph.identity import canonical
from morphml.graph.operation import Catalogue, Count
from morphml.graph.operations import OPERATIONS
from morphml.graph.shapes import infer_output
from morphml.graph.values import ModelGraph, Node, Shape

_FLOAT32_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What one model costs, counted on its canonical form."""

    #: Output shape of every node of the canonical form.
    shapes: tuple[Shape, ...]
    #: Trainable numbers; a shared module counts once.
    params: int
    #: Floating-point operations of one forward pass of one sample; a multiply-add is two.
    flops: int
    #: Bytes that the forward pass of one sample writes for the backward pass, in float32.
    activation_bytes: int


def costs(graph: ModelGraph, catalogue: Catalogue = OPERATIONS) -> Costs:
    """The costs of the canonical form of a graph; O(nodes + edges) after that.

    >>> x = OPERATIONS.node("input", (), {"name": "x", "shape": (4,)})
    >>> dense = OPERATIONS.node("dense", (0,), {"units": 3})
    >>> costs(ModelGraph(nodes=(x, dense), outputs=(("y", 1),)))
    Costs(shapes=((4,), (3,)), params=15, flops=24, activation_bytes=28)

    Raises:
        ShapeError: shapes do not fit, or a shared module would need weights of two sizes.
        SpaceError: an operation that the catalogue does not know.
    """
    form = canonical(graph, catalogue)
    shapes: list[Shape] = []
    counts: list[Count] = []
    for node in form.nodes:
        inputs = tuple([shapes[source] for source in node.inputs])
        operation, attrs = catalogue.at(node), dict(node.attrs)
        out = infer_output(node, operation, inputs, attrs)
        shapes.append(out)
        counts.append(operation.count(inputs, out, attrs))
    return costs_of_nodes(form.nodes, tuple(shapes), counts)


def costs_of_nodes(
    nodes: Iterable[Node], shapes: tuple[Shape, ...], counts: Iterable[Count]
) -> Costs:
    """The costs of a canonical form whose nodes have these output shapes and counts.

    Raises:
        ShapeError: a shared module would need weights of two sizes.
    """
    params = flops = activations = 0
    modules: dict[str, tuple[int, Shape]] = {}
    for node, (own, operations, written) in zip(nodes, counts, strict=True):
        flops += operations
        activations += written
        if node.shared is None:
            params += own
            continue
        reads = shapes[node.inputs[0]]
        if node.shared not in modules:
            modules[node.shared] = (own, reads)
            params += own
        elif modules[node.shared][0] != own:
            raise ShapeError(
                f"the shared {node.op} is used on {modules[node.shared][1]} and on {reads}, "
                "which need weights of different sizes",
                path=node.path,
                shapes=(modules[node.shared][1], reads),
            )
    return Costs(
        shapes=shapes,
        params=params,
        flops=flops,
        activation_bytes=_FLOAT32_BYTES * activations,
    )
