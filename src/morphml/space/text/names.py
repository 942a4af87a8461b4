"""The words that a text may call: nothing else is ever called by reading a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from morphml.space import compose, domains, expressions, layers, ready
from morphml.space.blocks import Input
from morphml.space.search_space import GraphSpace, SearchSpace

#: Functions of expressions.
EXPRESSION_CALLS: Mapping[str, Callable[..., object]] = {
    "ref": expressions.ref,
    "round_to": expressions.round_to,
    "divisors": expressions.divisors,
}

#: All constructors, by full name.
CALLS: Mapping[str, Callable[..., object]] = {
    **EXPRESSION_CALLS,
    "channels": expressions.channels,
    "choice": domains.choice,
    "integer": domains.integer,
    "real": domains.real,
    "optional": domains.optional,
    "sequence": compose.sequence,
    "repeat": compose.repeat,
    "parallel": compose.parallel,
    "residual": compose.residual,
    "tap": compose.tap,
    "join": compose.join,
    "nest": compose.nest,
    "cell": compose.cell,
    "shared": compose.shared,
    "Input": Input,
    "SearchSpace": SearchSpace,
    "GraphSpace": GraphSpace,
    **{f"layers.{name}": getattr(layers, name) for name in layers.__all__},
    **{f"spaces.{name}": getattr(ready, name) for name in ready.__all__},
}

#: What may stand before a name, and what it means; names alone are tried in this order, too.
PREFIXES = (
    ("", ""),
    ("", "layers."),
    ("", "spaces."),
    ("L.", "layers."),
    ("mm.", ""),
    ("mm.L.", "layers."),
    ("morphml.", ""),
    ("morphml.space.", ""),
)
