"""Layers for search spaces: ``from morphml import layers as L``."""

from __future__ import annotations

from morphml.space.layers import *  # noqa: F403  (a public alias of one module)
from morphml.space.layers import __all__ as __all__
