"""What the names in an expression stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

import torch
import torch.nn.functional
from torch import nn

from morphml.errors import SpaceError
from morphml.graph.operation import CUSTOM_PREFIX
from morphml.nn.expression import Resolver
from morphml.nn.modules.attention import SelfAttention, TransformerBlock
from morphml.nn.modules.mobile import MBConv, Residual, SqueezeExcite
from morphml.nn.modules.normalization import ChannelLayerNorm, ChannelRMSNorm
from morphml.nn.modules.pooling import AveragePoolSame
from morphml.nn.modules.recurrent import GRU, LSTM
from morphml.nn.modules.sequence import PositionalEmbedding, Reshape, ToSequence, Zeros

#: Layer classes of our own, by name.
LAYERS: Mapping[str, type[nn.Module]] = {
    layer.__name__: layer
    for layer in (
        AveragePoolSame,
        ChannelLayerNorm,
        ChannelRMSNorm,
        GRU,
        LSTM,
        MBConv,
        PositionalEmbedding,
        Reshape,
        Residual,
        SelfAttention,
        SqueezeExcite,
        ToSequence,
        TransformerBlock,
        Zeros,
    )
}

_ROOMS: Mapping[str, object] = {"nn": nn, "torch": torch, "F": torch.nn.functional}


#: What a user registered: a class or function, or its import path, by name.
Registered = Mapping[str, Callable[..., object] | str]


def resolver(registered: Registered) -> Resolver:
    """What looks names up, those of the user's operations included."""

    def find(name: str) -> Callable[..., object]:
        if not name.startswith(CUSTOM_PREFIX):
            return resolve(name)
        key = name.removeprefix(CUSTOM_PREFIX)
        found = registered.get(key, key)
        return imported(found) if isinstance(found, str) else found

    return find


def imported(path: str) -> Callable[..., object]:
    """The class or function at the import path ``package.module:Name``.

    Raises:
        SpaceError: when there is no such module or name in it.
    """
    module, colon, qualified = path.partition(":")
    try:
        found: object = import_module(module)
        for part in qualified.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise SpaceError(f"the layer {path!r} cannot be imported: {error}") from error
    if not colon or not callable(found):
        raise SpaceError(f"{path!r} names no class or function; write package.module:Name")
    return found


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
