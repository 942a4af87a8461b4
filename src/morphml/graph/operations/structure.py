"""Operations that give a graph its structure: inputs, merges, identity, zero."""

from __future__ import annotations

from math import prod

from morphml.errors import ShapeError
from morphml.graph.attribute import Attribute, Attrs, Kind, whole
from morphml.graph.operation import Count, Operation
from morphml.graph.values import Shape


def _infer_input(_shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    shape = attrs["shape"]
    assert isinstance(shape, tuple)
    return shape


def _infer_add(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
    first = shapes[0]
    for shape in shapes:
        if shape != first:
            raise ShapeError(
                f"add needs equal shapes, got {first} and {shape}; give match='project' or make "
                "the branches equal",
                shapes=(first, shape),
            )
    return first


def _infer_multiply(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
    out = shapes[0]
    for shape in shapes[1:]:
        if shape == out:
            continue
        if len(shape) != len(out) or any(
            a != b and 1 not in (a, b) for a, b in zip(out, shape, strict=True)
        ):
            raise ShapeError(
                f"multiply needs equal sizes, or 1, on every axis, got {out} and {shape}",
                shapes=(out, shape),
            )
        out = tuple([max(a, b) for a, b in zip(out, shape, strict=True)])
    return out


def _infer_concat(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    first, axis = shapes[0], whole(attrs, "axis")
    rank = len(first)
    if not -rank <= axis < rank:
        raise ShapeError(f"concat: input {first} has no axis {axis}", shapes=shapes)
    axis %= rank
    total = 0
    for shape in shapes:
        fits = (*first[:axis], *shape[axis : axis + 1], *first[axis + 1 :])
        if len(shape) != rank or shape != fits:
            raise ShapeError(
                f"concat on axis {axis} needs equal sizes on all other axes, got {first} and "
                f"{shape}",
                shapes=(first, shape),
            )
        total += shape[axis]
    return (*first[:axis], total, *first[axis + 1 :])


def _infer_identity(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
    return shapes[0]


def _infer_zero(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    shape = attrs["shape"]
    if isinstance(shape, tuple):
        return shape
    if not shapes:
        raise ShapeError("zero needs an input or shape=", shapes=())
    return shapes[0]


def _count_merge(shapes: tuple[Shape, ...], out: Shape, _attrs: Attrs) -> Count:
    elements = prod(out)
    return Count(0, elements * (len(shapes) - 1), elements)


def _count_written(_shapes: tuple[Shape, ...], out: Shape, _attrs: Attrs) -> Count:
    return Count(0, 0, prod(out))


def _count_nothing(_shapes: tuple[Shape, ...], _out: Shape, _attrs: Attrs) -> Count:
    return Count(0, 0, 0)


_SHAPE = Attribute(name="shape", kind=Kind.SHAPE, required=True, minimum=1)

OPERATIONS = (
    Operation(
        name="input",
        summary="A named input of the model; the shape is without the batch axis.",
        attributes=(
            Attribute(name="name", kind=Kind.TEXT, required=True),
            _SHAPE,
            Attribute(name="dtype", kind=Kind.TEXT, default="float32"),
        ),
        arity=(0, 0),
        infer=_infer_input,
        count=_count_written,
    ),
    Operation(
        name="add",
        summary="Sum of equal shapes; the order of the ports means nothing.",
        arity=(1, None),
        infer=_infer_add,
        count=_count_merge,
        commutative=True,
    ),
    Operation(
        name="multiply",
        summary="Product element by element; sizes of 1 stretch.",
        arity=(1, None),
        infer=_infer_multiply,
        count=_count_merge,
    ),
    Operation(
        name="concat",
        summary="Inputs one after the other on `axis` (the batch not counted), in port order.",
        attributes=(Attribute(name="axis", kind=Kind.WHOLE, default=0),),
        arity=(1, None),
        infer=_infer_concat,
        count=_count_written,
    ),
    Operation(
        name="identity",
        summary="The input itself.",
        infer=_infer_identity,
        count=_count_nothing,
    ),
    Operation(
        name="zero",
        summary="Zeros of `shape`, else of the input's shape.",
        attributes=(Attribute(name="shape", kind=Kind.SHAPE, minimum=1),),
        arity=(0, 1),
        infer=_infer_zero,
        count=_count_written,
    ),
)
