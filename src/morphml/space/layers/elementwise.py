"""Normalisations, dropout and activations."""

from __future__ import annotations

from morphml.space.blocks import Layer
from morphml.space.layers.making import Argument, make_layer


def batch_norm(*, name: str | None = None) -> Layer:
    """Batch normalisation of the channels (axis 0)."""
    return make_layer("batch_norm", name)


def layer_norm(*, name: str | None = None) -> Layer:
    """Layer normalisation: of the last axis of (d,) and (t, d), else of the channels."""
    return make_layer("layer_norm", name)


def group_norm(groups: Argument = 8, *, name: str | None = None) -> Layer:
    """Group normalisation; ``groups`` must divide the channels."""
    return make_layer("group_norm", name, groups=groups)


def rms_norm(*, name: str | None = None) -> Layer:
    """Normalisation by the root mean square; axes as in `layer_norm`."""
    return make_layer("rms_norm", name)


def dropout(rate: Argument = 0.5, *, name: str | None = None) -> Layer:
    """Zeroes elements with probability ``rate`` in training."""
    return make_layer("dropout", name, rate=rate)


def relu(*, name: str | None = None) -> Layer:
    """max(x, 0)."""
    return make_layer("relu", name)


def gelu(*, name: str | None = None) -> Layer:
    """X times the normal distribution function of x."""
    return make_layer("gelu", name)


def silu(*, name: str | None = None) -> Layer:
    """X sigmoid(x), also called swish."""
    return make_layer("silu", name)


def tanh(*, name: str | None = None) -> Layer:
    """Hyperbolic tangent."""
    return make_layer("tanh", name)


def sigmoid(*, name: str | None = None) -> Layer:
    """1 / (1 + exp(-x))."""
    return make_layer("sigmoid", name)


def elu(*, name: str | None = None) -> Layer:
    """X above 0, exp(x) - 1 below."""
    return make_layer("elu", name)


def leaky_relu(*, name: str | None = None) -> Layer:
    """X above 0, a hundredth of x below."""
    return make_layer("leaky_relu", name)


def softplus(*, name: str | None = None) -> Layer:
    """log(1 + exp(x))."""
    return make_layer("softplus", name)


def mish(*, name: str | None = None) -> Layer:
    """X tanh(softplus(x))."""
    return make_layer("mish", name)


def hardswish(*, name: str | None = None) -> Layer:
    """X clip(x + 3, 0, 6) / 6."""
    return make_layer("hardswish", name)


def softmax(*, name: str | None = None) -> Layer:
    """Softmax of the last axis of (d,) and (t, d), else of the channels."""
    return make_layer("softmax", name)
