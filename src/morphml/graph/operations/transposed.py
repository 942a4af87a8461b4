"""Transposed convolutions in one to three dimensions."""

from __future__ import annotations

from math import prod

from morphml.errors import ShapeError
from morphml.graph.attribute import Attrs, sizes, whole
from morphml.graph.operation import Count, Operation
from morphml.graph.operations.windows import BIAS, FILTERS, padding, spatial, volume, window
from morphml.graph.values import Shape


def _transposed(axes: int) -> Operation:
    name = f"conv_transpose{axes}d"

    def infer(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
        shape = shapes[0]
        spatial(name, shape, axes)
        rest = [
            (n - 1) * s - 2 * p + k
            for n, k, s, p in zip(
                shape[1:],
                sizes(attrs, "kernel_size", axes),
                sizes(attrs, "stride", axes),
                sizes(attrs, "padding", axes),
                strict=True,
            )
        ]
        if min(rest) < 1:
            raise ShapeError(
                f"{name}: padding={attrs['padding']} leaves nothing of input {shape}: the output "
                f"would be {tuple(rest)}",
                shapes=(shape,),
            )
        return (whole(attrs, "filters"), *rest)

    def count(shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
        weights = shapes[0][0] * out[0] * volume(attrs, "kernel_size", axes)
        bias = out[0] if attrs["bias"] else 0
        return Count(weights + bias, 2 * weights * prod(shapes[0][1:]), prod(out))

    return Operation(
        name=name,
        summary=f"Transposed convolution over {axes} axes: n -> (n - 1) stride - 2 padding + k.",
        attributes=(FILTERS, window("kernel_size", 2), window("stride", 2), padding(0), BIAS),
        infer=infer,
        count=count,
        parametric=True,
    )


OPERATIONS = (_transposed(1), _transposed(2), _transposed(3))
