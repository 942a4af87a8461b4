"""Blocks of mobile networks: squeeze-and-excitation and the inverted bottleneck.

Squeeze-and-excitation has max(1, int(channels x ratio)) hidden units, where the channels are those
of the block's *input* (EfficientNet's rule), and biases.

Hu, Shen, Sun, *Squeeze-and-Excitation Networks*, CVPR 2018. Sandler et al., *MobileNetV2*, CVPR
2018. Tan, Le, *EfficientNet*, ICML 2019.
"""

from __future__ import annotations

from math import prod

from morphml.errors import ShapeError
from morphml.graph.attribute import Attribute, Attrs, Kind, real, whole
from morphml.graph.operation import Count, Operation
from morphml.graph.operations.elementwise import ACTIVATIONS
from morphml.graph.operations.windows import FILTERS, spatial, volume, window
from morphml.graph.values import Shape


def squeezed(channels: int, ratio: float) -> int:
    """Hidden units of squeeze-and-excitation."""
    return max(1, int(channels * ratio))


def _infer_excite(shapes: tuple[Shape, ...], _attrs: Attrs) -> Shape:
    if len(shapes[0]) < 2:
        raise ShapeError(f"squeeze_excite needs (channels, ...), got {shapes[0]}", shapes=shapes)
    return shapes[0]


def _excite(channels: int, hidden: int, pixels: int) -> Count:
    weights = 2 * channels * hidden
    return Count(
        weights + channels + hidden,
        2 * weights + hidden + channels + 2 * channels * pixels,  # mean, two layers, scaling
        channels * pixels + 2 * channels + hidden,
    )


def _count_excite(_shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
    return _excite(out[0], squeezed(out[0], real(attrs, "ratio")), prod(out[1:]))


def _infer_mbconv(shapes: tuple[Shape, ...], attrs: Attrs) -> Shape:
    shape = shapes[0]
    spatial("mbconv", shape, 2)
    stride = attrs["stride"]
    down, right = (stride, stride) if isinstance(stride, int) else _pair(stride)
    return (whole(attrs, "filters"), -(-shape[1] // down), -(-shape[2] // right))


def _pair(value: object) -> tuple[int, int]:
    if not isinstance(value, tuple) or len(value) != 2:
        raise ShapeError(f"mbconv: stride={value} needs two items")
    return value[0], value[1]


def _count_mbconv(shapes: tuple[Shape, ...], out: Shape, attrs: Attrs) -> Count:
    """Sum over expand (left out at expansion 1), depthwise, excite, project, residual."""
    channels, before, after = shapes[0][0], prod(shapes[0][1:]), prod(out[1:])
    hidden = channels * whole(attrs, "expansion")
    kernel = volume(attrs, "kernel_size", 2)
    params = hidden * kernel + 2 * hidden + hidden * out[0] + 2 * out[0]
    flops = after * (hidden * (2 * kernel + 3) + out[0] * (2 * hidden + 2))
    numbers = after * (3 * hidden + 2 * out[0])
    if hidden != channels:
        params += channels * hidden + 2 * hidden
        flops += before * hidden * (2 * channels + 3)
        numbers += before * 3 * hidden
    ratio = real(attrs, "se_ratio")
    if ratio > 0:
        excite = _excite(hidden, squeezed(channels, ratio), after)
        params += excite.params
        flops += excite.flops
        numbers += excite.activations
    if out == shapes[0]:
        flops += prod(out)
        numbers += prod(out)
    return Count(params, flops, numbers)


OPERATIONS = (
    Operation(
        name="squeeze_excite",
        summary="Scales each channel by a gate: mean, dense, relu, dense, sigmoid.",
        attributes=(
            Attribute(name="ratio", kind=Kind.REAL, default=0.25, minimum=0.0, maximum=1.0),
        ),
        infer=_infer_excite,
        count=_count_excite,
        parametric=True,
    ),
    Operation(
        name="mbconv",
        summary=(
            "Inverted bottleneck: expand 1x1, depthwise, squeeze-excite, project 1x1; batch "
            "normalisation after each convolution, no bias; residual where the shape is kept."
        ),
        attributes=(
            FILTERS,
            Attribute(name="expansion", kind=Kind.WHOLE, default=6, minimum=1),
            window("kernel_size", 3),
            window("stride", 1),
            Attribute(name="se_ratio", kind=Kind.REAL, default=0.25, minimum=0.0, maximum=1.0),
            Attribute(name="activation", kind=Kind.TEXT, default="silu", words=ACTIVATIONS),
        ),
        infer=_infer_mbconv,
        count=_count_mbconv,
        parametric=True,
    ),
)
