"""Layers on sequences (time, width) and on tokens."""

from __future__ import annotations

from morphml.space.blocks import Layer
from morphml.space.layers.making import Argument, make_layer


def to_sequence(*, name: str | None = None) -> Layer:
    """Positions become time: (c, h, w) -> (h w, c)."""
    return make_layer("to_sequence", name)


def embedding(vocabulary: Argument, units: Argument, *, name: str | None = None) -> Layer:
    """A vector for each integer: (t,) -> (t, units)."""
    return make_layer("embedding", name, vocabulary=vocabulary, units=units)


def positional_embedding(*, name: str | None = None) -> Layer:
    """Adds a learned vector to each position of (t, d)."""
    return make_layer("positional_embedding", name)


def lstm(
    units: Argument,
    layers: Argument = 1,
    bidirectional: Argument = False,
    sequences: Argument = True,
    *,
    name: str | None = None,
) -> Layer:
    """Long short-term memory: (t, d) -> (t, units x directions), or the last step only."""
    return _recurrent("lstm", name, units, layers, bidirectional, sequences)


def gru(
    units: Argument,
    layers: Argument = 1,
    bidirectional: Argument = False,
    sequences: Argument = True,
    *,
    name: str | None = None,
) -> Layer:
    """Gated recurrent unit: (t, d) -> (t, units x directions), or the last step only."""
    return _recurrent("gru", name, units, layers, bidirectional, sequences)


def attention(heads: Argument, bias: Argument = True, *, name: str | None = None) -> Layer:
    """Multi-head self-attention on (t, d); ``heads`` must divide d."""
    return make_layer("attention", name, heads=heads, bias=bias)


def transformer_block(
    heads: Argument,
    expansion: Argument = 4,
    dropout: Argument = 0.0,
    activation: Argument = "gelu",
    *,
    name: str | None = None,
) -> Layer:
    """Pre-norm attention and feed-forward part on (t, d); ``heads`` must divide d."""
    return make_layer(
        "transformer_block",
        name,
        heads=heads,
        expansion=expansion,
        dropout=dropout,
        activation=activation,
    )


def _recurrent(
    kind: str, name: str | None, units: Argument, layers: Argument, bidirectional: Argument,
    sequences: Argument,
) -> Layer:  # fmt: skip
    return make_layer(
        kind,
        name,
        units=units,
        layers=layers,
        bidirectional=bidirectional,
        sequences=sequences,
    )
