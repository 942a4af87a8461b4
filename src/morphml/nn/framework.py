"""PyTorch as a framework: what `arch.build()` and the exports call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from morphml.graph import OPERATIONS, Catalogue, ModelGraph, canonical
from morphml.nn.export import files
from morphml.nn.export.weights import Weights
from morphml.nn.names import Registered
from morphml.nn.network import Network
from morphml.nn.plan import plan

if TYPE_CHECKING:
    from morphml.space import Architecture


class TorchFramework:
    """Turns model graphs into ``torch.nn.Module``; found by the entry point ``torch``."""

    name = "torch"

    def build(
        self,
        graph: ModelGraph,
        *,
        custom: Registered | None = None,
        catalogue: Catalogue = OPERATIONS,
        device: str = "cpu",
        seed: int | None = None,
    ) -> nn.Module:
        """The module that computes ``graph``, with fresh random weights, in training mode.

        Args:
            graph: any form; what is built is its canonical form.
            custom: the user's operations ``custom:<name>``: name to class, function or import path.
                A name that is missing is read as an import path itself.
            catalogue: the built-in operations, and those of the user.
            device: where the weights live, such as ``cpu``, ``cuda:0`` or ``meta`` (no memory).
            seed: of the weights; None draws them from torch's own generator.

        Raises:
            ShapeError: where shapes do not fit.
            SpaceError: for an operation that PyTorch has no layer for.
        """
        layout = plan(canonical(graph, catalogue), catalogue)
        if device == "meta":
            with torch.device(device):
                return Network(layout, custom)
        if seed is None:
            return Network(layout, custom).to(device)
        # Drawn on the CPU, so that one seed gives the same weights on every device.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return Network(layout, custom).to(device)

    def to_python(
        self, architecture: Architecture, path: str | Path, *, weights: Weights | None = None
    ) -> Path:
        """Write a standalone Python file that needs PyTorch only; returns its path.

        Args:
            architecture: what is written.
            path: the file; the weights go beside it, to the same name with the ending ``.pt``.
            weights: a module that `build` gave, or its ``state_dict()``; None writes none.

        Raises:
            CallerError: when weights belong to another architecture, or a user's layer cannot be
                imported by the file.
        """
        return files.write_python(architecture, Path(path), weights)

    def to_onnx(
        self, architecture: Architecture, path: str | Path, *, weights: Weights | None = None
    ) -> Path:
        """Write an ONNX file with a free batch size; returns its path.

        Raises:
            MissingExtraError: when onnxscript is not installed.
            CallerError: for a space without a graph, or weights of another architecture.
        """
        return files.write_onnx(architecture, Path(path), weights)

    def to_program(
        self, architecture: Architecture, path: str | Path, *, weights: Weights | None = None
    ) -> Path:
        """Write a ``torch.export`` program (``.pt2``) with a free batch size; returns its path.

        Raises:
            CallerError: for a space without a graph, or weights of another architecture.
        """
        return files.write_program(architecture, Path(path), weights)

    def to_torchscript(
        self, architecture: Architecture, path: str | Path, *, weights: Weights | None = None
    ) -> Path:
        """Write a TorchScript file, traced; returns its path.

        Raises:
            CallerError: for a space without a graph, or weights of another architecture.
        """
        return files.write_torchscript(architecture, Path(path), weights)
