"""Arithmetic of sliding windows, shared by convolutions and pooling."""

from __future__ import annotations

from math import prod

from morphml.errors import ShapeError
from morphml.graph.attribute import Attribute, Attrs, Kind, sizes
from morphml.graph.values import Shape, Value

BIAS = Attribute(name="bias", kind=Kind.FLAG, default=True)
FILTERS = Attribute(name="filters", kind=Kind.WHOLE, required=True, minimum=1)


def window(name: str, default: Value, minimum: int = 1) -> Attribute:
    """A size for each spatial axis: kernel, stride, dilation."""
    return Attribute(name=name, kind=Kind.SIZES, default=default, minimum=minimum)


def padding(default: Value, *words: str) -> Attribute:
    """A padding: zeros on both sides of each axis, or one of the words."""
    return Attribute(name="padding", kind=Kind.PADDING, default=default, minimum=0, words=words)


def spatial(name: str, shape: Shape, axes: int) -> None:
    """Check that a shape is ``(channels, *axes)``.

    Raises:
        ShapeError: it has another number of axes.
    """
    if len(shape) != axes + 1:
        wanted = ", ".join(("channels", *("depth", "height", "width")[3 - axes :]))
        raise ShapeError(f"{name} needs ({wanted}), got {shape}", shapes=(shape,))


def slide(name: str, shape: Shape, attrs: Attrs, kernel_name: str) -> Shape:
    """Spatial output sizes of a window over ``shape`` (channels first).

    ``padding="same"`` with stride s gives ceil(n / s); ``"valid"`` pads nothing; an integer pads
    both sides and gives floor((n + 2 padding - k) / s) + 1 with k = dilation (kernel - 1) + 1.

    Raises:
        ShapeError: the window does not fit into the padded input.
    """
    axes = len(shape) - 1
    strides = sizes(attrs, "stride", axes)
    kernels = sizes(attrs, kernel_name, axes)
    if attrs["padding"] == "same":
        return tuple([-(-n // s) for n, s in zip(shape[1:], strides, strict=True)])
    pads = (0,) * axes if attrs["padding"] == "valid" else sizes(attrs, "padding", axes)
    dilations = sizes(attrs, "dilation", axes) if "dilation" in attrs else (1,) * axes
    out = []
    for n, k, s, p, d in zip(shape[1:], kernels, strides, pads, dilations, strict=True):
        reach = d * (k - 1) + 1
        if n + 2 * p < reach:
            raise ShapeError(
                f"{name}: a window of {reach} does not fit into {n} + 2 x {p} padding of input "
                f"{shape}; use a smaller kernel, or padding='same'",
                shapes=(shape,),
            )
        out.append((n + 2 * p - reach) // s + 1)
    return tuple(out)


def volume(attrs: Attrs, name: str, axes: int) -> int:
    """How many elements a window has."""
    value = attrs[name]
    return value**axes if isinstance(value, int) else prod(sizes(attrs, name, axes))
