"""Ready-made spaces, each written in MorphML's own language of spaces."""

from __future__ import annotations

from morphml.space.ready import (
    cnn,
    darts,
    mlp,
    mobilenet,
    nasbench101,
    nasbench201,
    transformer,
    unet,
)

__all__ = [
    "cnn",
    "darts",
    "mlp",
    "mobilenet",
    "nasbench101",
    "nasbench201",
    "transformer",
    "unet",
]
