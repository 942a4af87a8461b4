"""Convolutions: plain ones in one to three dimensions, depthwise, and separable.

``padding="same"`` is built as explicit padding: (k - 1) // 2 zeros on the left of each axis and the
rest of k - 1 on the right, k being the dilated kernel; for odd kernels both sides are equal.
"""

from __future__ import annotations

from math import prod

from morphml.errors import ShapeError
from morphml.graph.attribute import Attribute, Attrs, Kind, whole
from morphml.graph.operation import Count, Operation
from morphml.graph.operations.windows import (
    BIAS,
    FILTERS,
    padding,
    slide,
    spatial,
    volume,
    window,
)
from morphml.graph.values import Shape

_WINDOW = (window("kernel_size", 3), window("stride", 1), padding("same", "same", "valid"))


def _plain(axes: int) -> Operation:
    name = f"conv{axes}d"

    def infer(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
        shape = shapes[0]
        spatial(name, shape, axes)
        filters, groups = whole(attrs, "filters"), whole(attrs, "groups")
        if groups != 1 and (shape[0] % groups or filters % groups):
            raise ShapeError(
                f"{name}: groups={groups} must divide the {shape[0]} channels of input {shape} "
                f"and the {filters} filters",
                shapes=(shape,),
            )
        return (filters, *slide(name, shape, attrs, "kernel_size"))

    def count(shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
        filters = out[0]
        fan_in = shapes[0][0] // whole(attrs, "groups") * volume(attrs, "kernel_size", axes)
        elements = prod(out)
        bias = filters if attrs["bias"] else 0
        return Count(filters * fan_in + bias, 2 * elements * fan_in, elements)

    return Operation(
        name=name,
        summary=f"Convolution over {axes} axes, input (channels, ...).",
        attributes=(
            FILTERS,
            *_WINDOW,
            window("dilation", 1),
            Attribute(name="groups", kind=Kind.WHOLE, default=1, minimum=1),
            BIAS,
        ),
        infer=infer,
        count=count,
        parametric=True,
    )


def _infer_depthwise(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    shape = shapes[0]
    spatial("depthwise_conv2d", shape, 2)
    rest = slide("depthwise_conv2d", shape, attrs, "kernel_size")
    return (shape[0] * whole(attrs, "multiplier"), *rest)


def _count_depthwise(shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
    kernel = volume(attrs, "kernel_size", 2)
    elements = prod(out)
    bias = out[0] if attrs["bias"] else 0
    return Count(out[0] * kernel + bias, 2 * elements * kernel, elements)


def _infer_separable(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    shape = shapes[0]
    spatial("separable_conv2d", shape, 2)
    return (whole(attrs, "filters"), *slide("separable_conv2d", shape, attrs, "kernel_size"))


def _count_separable(shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
    channels, filters, pixels = shapes[0][0], out[0], out[1] * out[2]
    kernel = volume(attrs, "kernel_size", 2)
    bias = filters if attrs["bias"] else 0
    return Count(
        channels * kernel + channels * filters + bias,
        2 * pixels * channels * (kernel + filters),
        pixels * (channels + filters),
    )


OPERATIONS = (
    _plain(1),
    _plain(2),
    _plain(3),
    Operation(
        name="depthwise_conv2d",
        summary="One convolution for each channel, `multiplier` filters each.",
        attributes=(
            *_WINDOW,
            Attribute(name="multiplier", kind=Kind.WHOLE, default=1, minimum=1),
            BIAS,
        ),
        infer=_infer_depthwise,
        count=_count_depthwise,
        parametric=True,
    ),
    Operation(
        name="separable_conv2d",
        summary="Depthwise convolution without bias, then a 1x1 convolution with `bias`.",
        attributes=(FILTERS, *_WINDOW, BIAS),
        infer=_infer_separable,
        count=_count_separable,
        parametric=True,
    ),
)
