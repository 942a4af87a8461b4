"""PyTorch as a framework: what `arch.build()` and the exports call."""

from __future__ import annotations

import torch
from torch import nn

from morphml.graph.values import ModelGraph
from morphml.nn.network import Network
from morphml.nn.plan import plan


class TorchFramework:
    """Turns model graphs into ``torch.nn.Module``; found by the entry point ``torch``."""

    name = "torch"

    def build(
        self, graph: ModelGraph, *, device: str = "cpu", seed: int | None = None
    ) -> nn.Module:
        """The module that computes ``graph``, with fresh random weights, in training mode.

        Args:
            graph: in canonical form.
            device: where the weights live, such as ``cpu``, ``cuda:0`` or ``meta`` (no memory).
            seed: of the weights; None draws them from torch's own generator.

        Raises:
            ShapeError: where shapes do not fit.
            SpaceError: for an operation that PyTorch has no layer for.
        """
        layout = plan(graph)
        if seed is None:
            with torch.device(device):
                return Network(layout)
        with torch.random.fork_rng(devices=[]), torch.device(device):
            torch.manual_seed(seed)
            return Network(layout)
