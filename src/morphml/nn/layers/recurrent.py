"""Recurrent layers over sequences (t, d)."""

from __future__ import annotations

from morphml.nn.expression import Module, construct
from morphml.nn.site import Site


def recurrent(site: Site) -> Module:
    """An LSTM or GRU that returns one tensor: every step's output, or the final states."""
    options: dict[str, object] = {}
    if site.integer("layers") != 1:
        options["layers"] = site.integer("layers")
    if site.flag("bidirectional"):
        options["bidirectional"] = True
    if not site.flag("sequences"):
        options["sequences"] = False
    callee = {"lstm": "LSTM", "gru": "GRU"}[site.op]
    return Module(construct(callee, site.features, site.integer("units"), **options))
