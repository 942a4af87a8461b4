"""Costs of a model graph: shapes, parameters, FLOPs and activation memory before training."""

from __future__ import annotations

from dataclasses import dataclass

from morphml.errors import ShapeError
from morphml.graph.identity import canonical
from morphml.graph.operation import Catalogue
from morphml.graph.operations import OPERATIONS
from morphml.graph.shapes import infer_output
from morphml.graph.values import ModelGraph, Shape

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
    params = flops = activations = 0
    modules: dict[str, tuple[int, Shape]] = {}
    for node in form.nodes:
        inputs = tuple([shapes[source] for source in node.inputs])
        operation, attrs = catalogue.at(node), dict(node.attrs)
        out = infer_output(node, operation, inputs, attrs)
        shapes.append(out)
        count = operation.count(inputs, out, attrs)
        flops += count.flops
        activations += count.activations
        if node.shared is None:
            params += count.params
        elif node.shared not in modules:
            modules[node.shared] = (count.params, inputs[0])
            params += count.params
        elif modules[node.shared][0] != count.params:
            raise ShapeError(
                f"the shared {node.op} is used on {modules[node.shared][1]} and on {inputs[0]}, "
                "which need weights of different sizes",
                path=node.path,
                shapes=(modules[node.shared][1], inputs[0]),
            )
    return Costs(
        shapes=tuple(shapes),
        params=params,
        flops=flops,
        activation_bytes=_FLOAT32_BYTES * activations,
    )
