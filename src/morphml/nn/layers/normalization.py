"""Normalisation: batch, layer, group, root mean square."""

from __future__ import annotations

from morphml.nn.expression import Module, construct
from morphml.nn.site import Site


def batch_norm(site: Site) -> Module:
    """``nn.BatchNorm1d``, ``2d`` or ``3d`` over the channels, which come first."""
    dimensions = max(1, len(site.shape) - 1)
    return Module(construct(f"nn.BatchNorm{dimensions}d", site.channels))


def layer_norm(site: Site) -> Module:
    """``nn.LayerNorm`` over the last axis of (d,) and (t, d), over the channels of an image."""
    if len(site.shape) <= 2:
        return Module(construct("nn.LayerNorm", site.features))
    return Module(construct("ChannelLayerNorm", site.channels))


def group_norm(site: Site) -> Module:
    """``nn.GroupNorm`` over the channels."""
    return Module(construct("nn.GroupNorm", site.integer("groups"), site.channels))


def rms_norm(site: Site) -> Module:
    """``nn.RMSNorm`` over the last axis of (d,) and (t, d), over the channels of an image."""
    if len(site.shape) <= 2:
        return Module(construct("nn.RMSNorm", site.features))
    return Module(construct("ChannelRMSNorm", site.channels))
