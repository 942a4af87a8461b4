"""Operations that keep the shape and have no weights: activations and dropout."""

from __future__ import annotations

from math import prod

from morphml.errors import ShapeError
from morphml.graph.attribute import Attribute, Attrs, Kind
from morphml.graph.operation import Count, Operation
from morphml.graph.values import Shape

#: Names of the activation functions, softmax (over the channels or last axis) aside.
ACTIVATIONS = (
    "relu",
    "gelu",
    "silu",
    "tanh",
    "sigmoid",
    "elu",
    "leaky_relu",
    "softplus",
    "mish",
    "hardswish",
)


def _keep(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
    return shapes[0]


def _infer_softmax(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
    if not shapes[0]:
        raise ShapeError("softmax needs at least one axis, got ()", shapes=shapes)
    return shapes[0]


def _one_each(_shapes: tuple[Shape, ...], out: Shape, _attrs: Attrs) -> Count:
    elements = prod(out)
    return Count(0, elements, elements)


def _count_softmax(_shapes: tuple[Shape, ...], out: Shape, _attrs: Attrs) -> Count:
    elements = prod(out)
    return Count(0, 5 * elements, elements)


def _count_dropout(_shapes: tuple[Shape, ...], out: Shape, _attrs: Attrs) -> Count:
    return Count(0, 0, prod(out))


OPERATIONS = (
    *(
        Operation(
            name=name,
            summary=f"{name}, element by element (one FLOP each).",
            infer=_keep,
            count=_one_each,
        )
        for name in ACTIVATIONS
    ),
    Operation(
        name="softmax",
        summary="Softmax over the last axis of (d,) and (t, d), over the channels otherwise.",
        infer=_infer_softmax,
        count=_count_softmax,
    ),
    Operation(
        name="dropout",
        summary="Sets elements to zero at random while training.",
        attributes=(Attribute(name="rate", kind=Kind.REAL, default=0.5, minimum=0.0, maximum=1.0),),
        infer=_keep,
        count=_count_dropout,
    ),
)
