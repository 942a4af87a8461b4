"""Layers for search spaces: ``from morphml import layers as L``."""

from __future__ import annotations

import difflib

from morphml.space.layers import *  # noqa: F403  (a public alias of one module)
from morphml.space.layers import __all__ as __all__


def __getattr__(name: str) -> object:
    """Tell the nearest layer when a person asks for one that is not there."""
    near = difflib.get_close_matches(name, __all__, n=1)
    hint = f"did you mean L.{near[0]}? " if near else ""
    raise AttributeError(
        f"there is no layer {name!r}; {hint}Your own comes in with L.custom('module:Class')"
    )
