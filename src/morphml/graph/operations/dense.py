"""Fully connected layers and the projection that `match="project"` puts in."""

from __future__ import annotations

from math import prod

from morphml.errors import ShapeError
from morphml.graph.attribute import Attribute, Attrs, Kind, whole
from morphml.graph.operation import Count, Operation
from morphml.graph.operations.windows import BIAS
from morphml.graph.values import Shape


def _infer_dense(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    shape = shapes[0]
    if not shape:
        raise ShapeError("dense needs at least one axis, got ()", shapes=shapes)
    return (*shape[:-1], whole(attrs, "units"))


def _count_dense(shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
    width, units = shapes[0][-1], out[-1]
    elements = prod(out)
    bias = units if attrs["bias"] else 0
    return Count(width * units + bias, 2 * width * elements, elements)


def projection(shape: Shape, attrs: Attrs) -> tuple[Shape, bool, tuple[int, ...]]:
    """What `project` is on an input: (output shape, acts on the last axis, strides).

    ``(d,)``: a dense layer. ``(channels, ...)``: a 1x1 convolution, strided where the target's
    spatial sizes are smaller. ``(a, b)`` to ``(a, c)``: a dense layer on the last axis.

    Raises:
        ShapeError: no projection leads from the input to the target.
    """
    filters, target = attrs["filters"], attrs["shape"]
    if isinstance(filters, int) and target is None:
        if not shape:
            raise ShapeError("project needs at least one axis, got ()", shapes=(shape,))
        return (filters, *shape[1:]), len(shape) == 1, (1,) * (len(shape) - 1)
    if not isinstance(target, tuple) or filters is not None:
        raise ShapeError("project needs either filters= or shape=", shapes=(shape,))
    rank = len(shape)
    if rank == len(target) and (rank == 1 or (rank == 2 and target[0] == shape[0])):
        return target, True, ()
    if rank == len(target) > 1:
        strides = tuple([-(-n // m) for n, m in zip(shape[1:], target[1:], strict=True)])
        reached = tuple([-(-n // s) for n, s in zip(shape[1:], strides, strict=True)])
        if reached == target[1:]:
            return target, False, strides
    raise ShapeError(
        f"project: no 1x1 convolution or dense layer leads from {shape} to {target}",
        shapes=(shape, target),
    )


def _infer_project(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    return projection(shapes[0], attrs)[0]


def _count_project(shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
    axis = -1 if projection(shapes[0], attrs)[1] else 0
    width, units = shapes[0][axis], out[axis]
    elements = prod(out)
    return Count(width * units + units, 2 * width * elements, elements)


OPERATIONS = (
    Operation(
        name="dense",
        summary="Linear layer on the last axis.",
        attributes=(Attribute(name="units", kind=Kind.WHOLE, required=True, minimum=1), BIAS),
        infer=_infer_dense,
        count=_count_dense,
        parametric=True,
    ),
    Operation(
        name="project",
        summary="1x1 convolution (strided where needed) or dense layer, with bias, to a shape.",
        attributes=(
            Attribute(name="filters", kind=Kind.WHOLE, minimum=1),
            Attribute(name="shape", kind=Kind.SHAPE, minimum=1),
        ),
        infer=_infer_project,
        count=_count_project,
        parametric=True,
    ),
)
