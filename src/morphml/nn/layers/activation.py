"""Activations and dropout."""

from __future__ import annotations

from morphml.nn.expression import Module, construct
from morphml.nn.site import Site

#: Operation name to PyTorch class, for activations without settings.
ACTIVATIONS = {
    "relu": "nn.ReLU",
    "gelu": "nn.GELU",
    "silu": "nn.SiLU",
    "tanh": "nn.Tanh",
    "sigmoid": "nn.Sigmoid",
    "elu": "nn.ELU",
    "leaky_relu": "nn.LeakyReLU",
    "softplus": "nn.Softplus",
    "mish": "nn.Mish",
    "hardswish": "nn.Hardswish",
}


def activation(site: Site) -> Module:
    """The activation of the operation's name."""
    return Module(construct(ACTIVATIONS[site.op]))


def softmax(site: Site) -> Module:
    """``nn.Softmax`` over the features: the last axis of (d,) and (t, d), else the channels."""
    return Module(construct("nn.Softmax", dim=1 if len(site.shape) > 2 else -1))


def dropout(site: Site) -> Module:
    """``nn.Dropout``: zeroes single values while training."""
    return Module(construct("nn.Dropout", site.number("rate")))
