"""Pooling: windows, adaptive, global, and over a sequence."""

from __future__ import annotations

from morphml.space.blocks import Layer
from morphml.space.layers.making import Argument, make_layer


def max_pool1d(
    size: Argument = 2,
    stride: Argument = None,
    padding: Argument = 0,
    *,
    name: str | None = None,
) -> Layer:
    """Maximum in windows of (c, n); the stride is the size unless given."""
    return make_layer("max_pool1d", name, size=size, stride=stride, padding=padding)


def max_pool2d(
    size: Argument = 2,
    stride: Argument = None,
    padding: Argument = 0,
    *,
    name: str | None = None,
) -> Layer:
    """Maximum in windows of (c, h, w); the stride is the size unless given."""
    return make_layer("max_pool2d", name, size=size, stride=stride, padding=padding)


def max_pool3d(
    size: Argument = 2,
    stride: Argument = None,
    padding: Argument = 0,
    *,
    name: str | None = None,
) -> Layer:
    """Maximum in windows of (c, d, h, w); the stride is the size unless given."""
    return make_layer("max_pool3d", name, size=size, stride=stride, padding=padding)


def avg_pool1d(
    size: Argument = 2,
    stride: Argument = None,
    padding: Argument = 0,
    *,
    name: str | None = None,
) -> Layer:
    """Average in windows of (c, n); the stride is the size unless given."""
    return make_layer("avg_pool1d", name, size=size, stride=stride, padding=padding)


def avg_pool2d(
    size: Argument = 2,
    stride: Argument = None,
    padding: Argument = 0,
    *,
    name: str | None = None,
) -> Layer:
    """Average in windows of (c, h, w); the stride is the size unless given."""
    return make_layer("avg_pool2d", name, size=size, stride=stride, padding=padding)


def avg_pool3d(
    size: Argument = 2,
    stride: Argument = None,
    padding: Argument = 0,
    *,
    name: str | None = None,
) -> Layer:
    """Average in windows of (c, d, h, w); the stride is the size unless given."""
    return make_layer("avg_pool3d", name, size=size, stride=stride, padding=padding)


def adaptive_avg_pool1d(size: Argument = 1, *, name: str | None = None) -> Layer:
    """Average of (c, n) down to (c, size)."""
    return make_layer("adaptive_avg_pool1d", name, size=size)


def adaptive_avg_pool2d(size: Argument = 1, *, name: str | None = None) -> Layer:
    """Average of (c, h, w) down to (c, size, size), or a tuple of two."""
    return make_layer("adaptive_avg_pool2d", name, size=size)


def adaptive_avg_pool3d(size: Argument = 1, *, name: str | None = None) -> Layer:
    """Average of (c, d, h, w) down to (c, size, size, size), or a tuple of three."""
    return make_layer("adaptive_avg_pool3d", name, size=size)


def adaptive_max_pool1d(size: Argument = 1, *, name: str | None = None) -> Layer:
    """Maximum of (c, n) down to (c, size)."""
    return make_layer("adaptive_max_pool1d", name, size=size)


def adaptive_max_pool2d(size: Argument = 1, *, name: str | None = None) -> Layer:
    """Maximum of (c, h, w) down to (c, size, size), or a tuple of two."""
    return make_layer("adaptive_max_pool2d", name, size=size)


def adaptive_max_pool3d(size: Argument = 1, *, name: str | None = None) -> Layer:
    """Maximum of (c, d, h, w) down to (c, size, size, size), or a tuple of three."""
    return make_layer("adaptive_max_pool3d", name, size=size)


def global_avg_pool(*, name: str | None = None) -> Layer:
    """Average of each channel: (c, ...) -> (c,)."""
    return make_layer("global_avg_pool", name)


def global_max_pool(*, name: str | None = None) -> Layer:
    """Maximum of each channel: (c, ...) -> (c,)."""
    return make_layer("global_max_pool", name)


def pool_sequence(how: Argument = "mean", *, name: str | None = None) -> Layer:
    """``mean``, ``max`` or ``last`` step of a sequence: (t, d) -> (d,)."""
    return make_layer("pool_sequence", name, how=how)
