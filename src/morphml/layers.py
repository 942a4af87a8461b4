"""Layers for search spaces: ``from morphml import layers as L``."""

from __future__ import annotations

from morphml.hints import nearest
from morphml.space.layers import *  # noqa: F403  (a public alias of one module)
from morphml.space.layers import __all__ as __all__


def __getattr__(name: str) -> object:
    """Tell the nearest layer when a person asks for one that is not there."""
    near = nearest(name, __all__)
    hint = f"did you mean L.{near}? " if near else ""
    raise AttributeError(
        f"there is no layer {name!r}; {hint}Your own comes in with L.custom('module:Class')"
    )
