"""Weights beside an exported file.

They are saved with ``torch.save`` and read with ``weights_only=True``: a reader of the file needs
PyTorch and nothing else, and nothing is unpickled but tensors. (safetensors would be one package
more for every reader. Checkpoints that workers send are read in the same way.)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from morphml.errors import CallerError

#: What can be exported as weights: those of a built network.
Weights = nn.Module | Mapping[str, torch.Tensor]


def state_of(weights: Weights) -> dict[str, torch.Tensor]:
    """The tensors by name, on the CPU."""
    state = weights.state_dict() if isinstance(weights, nn.Module) else weights
    return {name: tensor.detach().cpu() for name, tensor in state.items()}


def renamed(state: Mapping[str, torch.Tensor], names: Mapping[str, str]) -> dict[str, torch.Tensor]:
    """The tensors under their names in the exported file.

    Args:
        state: of the built network: ``conv2d_1.weight``.
        names: module of the built network to its dotted name in the file.

    Raises:
        CallerError: for a tensor of a module that the network does not have.
    """
    result = {}
    for key, tensor in state.items():
        module, _, rest = key.partition(".")
        if module not in names:
            raise CallerError(
                f"weights hold {key!r}, but the architecture has no module {module!r}; they belong "
                "to another architecture"
            )
        result[f"{names[module]}.{rest}"] = tensor
    return result


def save_weights(state: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write the tensors so that ``torch.load(path, weights_only=True)`` reads them."""
    unfinished = path.with_name(f"{path.name}.part")
    torch.save(dict(state), unfinished)
    unfinished.replace(path)
