"""Convolutions, plain, depthwise, separable and transposed, and blocks of mobile networks."""

# ruff: noqa: PLR0913  (a convolution's parameters are the convolution)

from __future__ import annotations

from morphml.space.blocks import Layer
from morphml.space.layers.making import Argument, make_layer


def conv1d(
    filters: Argument,
    kernel_size: Argument = 3,
    stride: Argument = 1,
    padding: Argument = "same",
    dilation: Argument = 1,
    groups: Argument = 1,
    bias: Argument = True,
    *,
    name: str | None = None,
) -> Layer:
    """Convolution of (c, n); ``padding`` is ``same`` (ceil(n / stride)), ``valid`` or a size."""
    return make_layer(
        "conv1d",
        name,
        filters=filters,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=bias,
    )


def conv2d(
    filters: Argument,
    kernel_size: Argument = 3,
    stride: Argument = 1,
    padding: Argument = "same",
    dilation: Argument = 1,
    groups: Argument = 1,
    bias: Argument = True,
    *,
    name: str | None = None,
) -> Layer:
    """Convolution of (c, h, w); sizes are one number or a tuple of two; see `conv1d`."""
    return make_layer(
        "conv2d",
        name,
        filters=filters,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=bias,
    )


def conv3d(
    filters: Argument,
    kernel_size: Argument = 3,
    stride: Argument = 1,
    padding: Argument = "same",
    dilation: Argument = 1,
    groups: Argument = 1,
    bias: Argument = True,
    *,
    name: str | None = None,
) -> Layer:
    """Convolution of (c, d, h, w); sizes are one number or a tuple of three; see `conv1d`."""
    return make_layer(
        "conv3d",
        name,
        filters=filters,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=bias,
    )


def depthwise_conv2d(
    kernel_size: Argument = 3,
    stride: Argument = 1,
    padding: Argument = "same",
    multiplier: Argument = 1,
    bias: Argument = True,
    *,
    name: str | None = None,
) -> Layer:
    """One convolution for each channel: (c, h, w) -> (c x multiplier, h', w')."""
    return make_layer(
        "depthwise_conv2d",
        name,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        multiplier=multiplier,
        bias=bias,
    )


def separable_conv2d(
    filters: Argument,
    kernel_size: Argument = 3,
    stride: Argument = 1,
    padding: Argument = "same",
    bias: Argument = True,
    *,
    name: str | None = None,
) -> Layer:
    """Depthwise, then 1x1 convolution: (c, h, w) -> (filters, h', w')."""
    return make_layer(
        "separable_conv2d",
        name,
        filters=filters,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        bias=bias,
    )


def conv_transpose1d(
    filters: Argument,
    kernel_size: Argument = 2,
    stride: Argument = 2,
    padding: Argument = 0,
    bias: Argument = True,
    *,
    name: str | None = None,
) -> Layer:
    """Transposed convolution of (c, n): n -> (n - 1) stride - 2 padding + kernel_size."""
    return _transposed("conv_transpose1d", name, filters, kernel_size, stride, padding, bias)


def conv_transpose2d(
    filters: Argument,
    kernel_size: Argument = 2,
    stride: Argument = 2,
    padding: Argument = 0,
    bias: Argument = True,
    *,
    name: str | None = None,
) -> Layer:
    """Transposed convolution of (c, h, w); see `conv_transpose1d`."""
    return _transposed("conv_transpose2d", name, filters, kernel_size, stride, padding, bias)


def conv_transpose3d(
    filters: Argument,
    kernel_size: Argument = 2,
    stride: Argument = 2,
    padding: Argument = 0,
    bias: Argument = True,
    *,
    name: str | None = None,
) -> Layer:
    """Transposed convolution of (c, d, h, w); see `conv_transpose1d`."""
    return _transposed("conv_transpose3d", name, filters, kernel_size, stride, padding, bias)


def mbconv(
    filters: Argument,
    expansion: Argument = 6,
    kernel_size: Argument = 3,
    stride: Argument = 1,
    se_ratio: Argument = 0.25,
    activation: Argument = "silu",
    *,
    name: str | None = None,
) -> Layer:
    """Inverted bottleneck with squeeze-excite; residual where the shape is kept."""
    return make_layer(
        "mbconv",
        name,
        filters=filters,
        expansion=expansion,
        kernel_size=kernel_size,
        stride=stride,
        se_ratio=se_ratio,
        activation=activation,
    )


def squeeze_excite(ratio: Argument = 0.25, *, name: str | None = None) -> Layer:
    """Channel gates from the global average; ``ratio`` of the channels in the middle."""
    return make_layer("squeeze_excite", name, ratio=ratio)


def upsample2d(scale: Argument = 2, *, name: str | None = None) -> Layer:
    """Nearest-neighbour upsampling of (c, h, w) by a whole factor."""
    return make_layer("upsample2d", name, scale=scale)


def _transposed(
    kind: str, name: str | None, filters: Argument, kernel_size: Argument, stride: Argument,
    padding: Argument, bias: Argument,
) -> Layer:  # fmt: skip
    return make_layer(
        kind,
        name,
        filters=filters,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        bias=bias,
    )
