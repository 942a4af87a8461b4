"""Pooling: windows, adaptive, global, and over a sequence.

``padding="same"`` gives ceil(n / stride), padded like a convolution; an average counts the real
elements of a window only, never the padding.
"""

from __future__ import annotations

from math import prod

from morphml.errors import ShapeError
from morphml.graph.attribute import Attribute, Attrs, Kind, sizes
from morphml.graph.operation import Count, Operation
from morphml.graph.operations.windows import padding, slide, spatial, volume, window
from morphml.graph.values import Shape


def _windowed(how: str, axes: int) -> Operation:
    name = f"{how}_pool{axes}d"

    def infer(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
        shape = shapes[0]
        spatial(name, shape, axes)
        pad = attrs["padding"]
        if pad != "same":
            for p, k in zip(sizes(attrs, "padding", axes), sizes(attrs, "size", axes), strict=True):
                if p > k // 2:
                    raise ShapeError(
                        f"{name}: padding={p} is more than half of the window {k} on input {shape}",
                        shapes=(shape,),
                    )
        return (shape[0], *slide(name, shape, attrs, "size"))

    def count(_shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
        elements = prod(out)
        return Count(0, elements * volume(attrs, "size", axes), elements)

    stride = Attribute(name="stride", kind=Kind.SIZES, same_as="size", minimum=1)
    return Operation(
        name=name,
        summary=f"{_WORDS[how]} of windows over {axes} axes; the stride is the size unless given.",
        attributes=(window("size", 2), stride, padding(0, "same")),
        infer=infer,
        count=count,
    )


def _adaptive(how: str, axes: int) -> Operation:
    name = f"adaptive_{how}_pool{axes}d"

    def infer(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
        spatial(name, shapes[0], axes)
        return (shapes[0][0], *sizes(attrs, "size", axes))

    return Operation(
        name=name,
        summary=f"{_WORDS[how]} pooling over {axes} axes to a given size.",
        attributes=(window("size", 1),),
        infer=infer,
        count=_count_reduction,
    )


def _global(how: str) -> Operation:
    name = f"global_{how}_pool"

    def infer(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
        if len(shapes[0]) < 2:
            raise ShapeError(f"{name} needs (channels, ...), got {shapes[0]}", shapes=shapes)
        return shapes[0][:1]

    return Operation(
        name=name,
        summary=f"{_WORDS[how]} of each channel: (c, ...) -> (c,).",
        infer=infer,
        count=_count_reduction,
    )


def _infer_sequence(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
    if len(shapes[0]) != 2:
        raise ShapeError(f"pool_sequence needs (time, width), got {shapes[0]}", shapes=shapes)
    return shapes[0][1:]


def _count_reduction(shapes: tuple[Shape, ...], out: Shape, _attrs: Attrs) -> Count:
    return Count(0, max(prod(shapes[0]), prod(out)), prod(out))


_WORDS = {"max": "Maximum", "avg": "Average"}

OPERATIONS = (
    *(_windowed(how, axes) for how in _WORDS for axes in (1, 2, 3)),
    *(_adaptive(how, axes) for how in _WORDS for axes in (1, 2, 3)),
    *(_global(how) for how in _WORDS),
    Operation(
        name="pool_sequence",
        summary="Mean, maximum or last step of a sequence: (t, d) -> (d,).",
        attributes=(
            Attribute(name="how", kind=Kind.TEXT, default="mean", words=("mean", "max", "last")),
        ),
        infer=_infer_sequence,
        count=_count_reduction,
    ),
)
