"""Dense layers, views, identity and zero, and the user's own modules."""

from __future__ import annotations

from collections.abc import Callable

from morphml.errors import SpaceError
from morphml.space.blocks import Custom, Layer
from morphml.space.domains import is_block
from morphml.space.form import plain
from morphml.space.layers.making import Argument, make_layer


def dense(units: Argument, bias: Argument = True, *, name: str | None = None) -> Layer:
    """Fully connected layer on the last axis: (..., d) -> (..., units)."""
    return make_layer("dense", name, units=units, bias=bias)


def output(units: Argument, *, name: str | None = None) -> Layer:
    """A dense layer that ends a network: (d,) -> (units,); flatten first where there are axes."""
    return make_layer("output", name, units=units)


def project(filters: Argument = None, shape: Argument = None, *, name: str | None = None) -> Layer:
    """1x1 convolution or dense layer to ``filters`` channels, or to a whole ``shape``."""
    return make_layer("project", name, filters=filters, shape=shape)


def flatten(*, name: str | None = None) -> Layer:
    """All axes into one: (a, b, ...) -> (a b ...,)."""
    return make_layer("flatten", name)


def reshape(shape: Argument, *, name: str | None = None) -> Layer:
    """The same elements in another shape; one size may be -1."""
    return make_layer("reshape", name, shape=shape)


def narrow(channels: Argument, *, name: str | None = None) -> Layer:
    """The first ``channels`` of an image: (c, h, w) -> (channels, h, w)."""
    return make_layer("narrow", name, channels=channels)


def identity(*, name: str | None = None) -> Layer:
    """Passes its input on."""
    return make_layer("identity", name)


def zero(shape: Argument = None, *, name: str | None = None) -> Layer:
    """Zeros of the input's shape; on an edge of a cell: no edge."""
    return make_layer("zero", name, shape=shape)


def custom(
    module: str | Callable[..., object],
    shape: str | Callable[..., tuple[int, ...]] | None = None,
    params: int | str | Callable[..., int] | None = None,
    *,
    name: str | None = None,
    **attrs: Argument,
) -> Custom:
    """Your own module as a layer: ``module(**attrs)`` is called when the model is built.

    Args:
        module: a class or function, or its import path ``"package.module:Name"``. Only with an
            import path can the space be written as text.
        shape: ``shape(input_shape, **attrs)`` gives the output shape; None: the input's shape.
        params: the number of parameters, or ``params(input_shape, **attrs)``; None: 0.
        name: the path segment.
        attrs: arguments of the module, which may be choices.
    """
    for key, value in attrs.items():
        if is_block(value):
            raise SpaceError(f"custom: argument {key} takes a value, got the block {value!r}")
    given = tuple((key, plain(value)) for key, value in attrs.items())
    return Custom(module=module, shape=shape, params=params, arguments=given, name=name)
