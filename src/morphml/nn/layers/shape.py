"""Operations that change the shape only."""

from __future__ import annotations

from morphml.nn.expression import Module, construct
from morphml.nn.site import Site, short


def flatten(_: Site) -> Module:
    """``nn.Flatten``: any shape to one axis."""
    return Module(construct("nn.Flatten"))


def reshape(site: Site) -> Module:
    """``nn.Unflatten``-like: the same values in the shape given, row by row."""
    return Module(construct("Reshape", site.output))


def to_sequence(_: Site) -> Module:
    """(c, h, w) to (h * w, c): one step per place, row by row."""
    return Module(construct("ToSequence"))


def narrow(site: Site) -> Module:
    """The first channels of an image."""
    return Module(construct("FirstChannels", site.output[0]))


def upsample(site: Site) -> Module:
    """``nn.Upsample``: each cell repeated ``scale`` times on both axes."""
    return Module(construct("nn.Upsample", scale_factor=short(site.sizes("scale", 2))))


def identity(_: Site) -> Module:
    """``nn.Identity``; canonical graphs have none, except where an input is an output."""
    return Module(construct("nn.Identity"))


def zero(site: Site) -> Module:
    """Zeros of the output's shape, for as many samples as the tensor that arrives has."""
    return Module(construct("Zeros", site.output))
