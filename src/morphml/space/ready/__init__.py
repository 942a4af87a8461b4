"""Ready-made spaces, each written in the language of spaces; public as ``morphml.spaces``."""

from __future__ import annotations

from morphml.space.ready.cnn import cnn
from morphml.space.ready.darts import darts
from morphml.space.ready.mlp import mlp
from morphml.space.ready.mobilenet import mobilenet
from morphml.space.ready.nasbench101 import nasbench101
from morphml.space.ready.nasbench201 import nasbench201
from morphml.space.ready.transformer import transformer
from morphml.space.ready.unet import unet

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
