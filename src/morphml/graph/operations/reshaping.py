"""Views: flatten, reshape, image to sequence, the first channels; and upsampling."""

from __future__ import annotations

from math import prod

from morphml.errors import ShapeError
from morphml.graph.attribute import Attribute, Attrs, Kind, sizes, whole
from morphml.graph.operation import Count, Operation
from morphml.graph.operations.windows import spatial, window
from morphml.graph.values import Shape


def _infer_flatten(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
    return (prod(shapes[0]),)


def _infer_reshape(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    shape, wanted = shapes[0], attrs["shape"]
    assert isinstance(wanted, tuple)
    total = prod(shape)
    if wanted.count(-1) == 1:
        rest = -prod(wanted)
        if rest > 0 and total % rest == 0:
            return tuple([total // rest if size == -1 else size for size in wanted])
    elif min(wanted, default=1) > 0 and prod(wanted) == total:
        return wanted
    raise ShapeError(
        f"reshape: {shape} has {total} elements and cannot become {wanted}", shapes=(shape, wanted)
    )


def _infer_to_sequence(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
    if len(shapes[0]) < 2:
        raise ShapeError(f"to_sequence needs (channels, ...), got {shapes[0]}", shapes=shapes)
    return (prod(shapes[0][1:]), shapes[0][0])


def _infer_upsample(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    spatial("upsample2d", shapes[0], 2)
    channels, height, width = shapes[0]
    down, right = sizes(attrs, "scale", 2)
    return (channels, height * down, width * right)


def _infer_narrow(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    spatial("narrow", shapes[0], 2)
    channels = whole(attrs, "channels")
    if channels > shapes[0][0]:
        raise ShapeError(f"narrow: {shapes[0]} has no {channels} channels", shapes=shapes)
    return (channels, *shapes[0][1:])


def _count_view(_shapes: tuple[Shape, ...], _out: Shape, _attrs: Attrs) -> Count:
    return Count(0, 0, 0)


def _count_copy(_shapes: tuple[Shape, ...], out: Shape, _attrs: Attrs) -> Count:
    return Count(0, 0, prod(out))


OPERATIONS = (
    Operation(
        name="flatten", summary="All axes into one.", infer=_infer_flatten, count=_count_view
    ),
    Operation(
        name="reshape",
        summary="Another shape for the same elements; one size may be -1.",
        attributes=(Attribute(name="shape", kind=Kind.SHAPE, required=True, minimum=-1),),
        infer=_infer_reshape,
        count=_count_view,
    ),
    Operation(
        name="to_sequence",
        summary="Positions become time: (c, h, w) -> (h w, c).",
        infer=_infer_to_sequence,
        count=_count_view,
    ),
    Operation(
        name="narrow",
        summary="The first `channels` of an image.",
        attributes=(Attribute(name="channels", kind=Kind.WHOLE, required=True, minimum=1),),
        infer=_infer_narrow,
        count=_count_view,
    ),
    Operation(
        name="upsample2d",
        summary="Nearest-neighbour upsampling by a whole factor.",
        attributes=(window("scale", 2),),
        infer=_infer_upsample,
        count=_count_copy,
    ),
)
