"""Fully connected layers and embeddings."""

from __future__ import annotations

from morphml.nn.expression import Module, construct
from morphml.nn.site import Site


def dense(site: Site) -> Module:
    """``nn.Linear`` over the last axis."""
    options: dict[str, object] = {} if site.flag("bias") else {"bias": False}
    return Module(construct("nn.Linear", site.features, site.integer("units"), **options))


def embedding(site: Site) -> Module:
    """``nn.Embedding``: integers (t,) to vectors (t, units)."""
    return Module(construct("nn.Embedding", site.integer("vocabulary"), site.integer("units")))


def positional_embedding(site: Site) -> Module:
    """One learned vector per position, added: (t, d) to (t, d)."""
    return Module(construct("PositionalEmbedding", *site.shape))
