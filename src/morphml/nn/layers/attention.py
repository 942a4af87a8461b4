"""Self attention and the transformer block, over sequences (t, d)."""

from __future__ import annotations

from morphml.nn.expression import Module, construct
from morphml.nn.layers.activation import ACTIVATIONS
from morphml.nn.site import Site


def attention(site: Site) -> Module:
    """Multi-head self attention."""
    options: dict[str, object] = {} if site.flag("bias") else {"bias": False}
    return Module(construct("SelfAttention", site.features, site.integer("heads"), **options))


def transformer_block(site: Site) -> Module:
    """Pre-norm transformer block: attention and a two-layer perceptron, each added to its input."""
    width = site.features
    hidden = width * site.integer("expansion")
    activation = construct(ACTIVATIONS[site.text("activation")])
    options: dict[str, object] = {}
    if site.number("dropout"):
        options["dropout"] = site.number("dropout")
    return Module(
        construct("TransformerBlock", width, site.integer("heads"), hidden, activation, **options)
    )
