"""What the names in an expression stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional
from torch import nn

from morphml.graph.operation import CUSTOM_PREFIX
from morphml.nn.expression import Resolver
from morphml.nn.modules.attention import SelfAttention, TransformerBlock
from morphml.nn.modules.mobile import MBConv, SqueezeExcite
from morphml.nn.modules.normalization import ChannelLayerNorm, ChannelRMSNorm
from morphml.nn.modules.pooling import AveragePoolSame
from morphml.nn.modules.recurrent import GRU, LSTM
from morphml.nn.modules.sequence import (
    FirstChannels,
    PositionalEmbedding,
    Reshape,
    ToSequence,
    Zeros,
)
from morphml.space.importing import resolved

#: Layer classes of our own, by name.
LAYERS: Mapping[str, type[nn.Module]] = {
    layer.__name__: layer
    for layer in (
        AveragePoolSame,
        ChannelLayerNorm,
        ChannelRMSNorm,
        FirstChannels,
        GRU,
        LSTM,
        MBConv,
        PositionalEmbedding,
        Reshape,
        SelfAttention,
        SqueezeExcite,
        ToSequence,
        TransformerBlock,
        Zeros,
    )
}

_ROOMS: Mapping[str, object] = {"nn": nn, "torch": torch, "F": torch.nn.functional}


#: What a user registered: a class or function, or its import path, by name.
Registered = Mapping[str, object]


def resolver(registered: Registered) -> Resolver:
    """What looks names up, those of the user's operations included."""

    def find(name: str) -> Callable[..., object]:
        return resolved(target(name, registered)) if ":" in name else resolve(name)

    return find


def target(callee: str, registered: Registered) -> object:
    """The user's class or function, or its import path; an unregistered name is a path itself."""
    name = callee.removeprefix(CUSTOM_PREFIX)
    return registered.get(name, name)


def resolve(name: str) -> Callable[..., object]:
    """The class or function that ``name`` stands for, such as ``nn.Conv2d`` or ``MBConv``.

    Raises:
        KeyError: for a name that is none of ours.
    """
    if name in LAYERS:
        return LAYERS[name]
    room, _, attribute = name.partition(".")
    found: Callable[..., object] = getattr(_ROOMS[room], attribute)
    return found
