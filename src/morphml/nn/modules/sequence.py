"""Layers that make, mark and reshape sequences."""

from __future__ import annotations

import torch
from torch import nn


class PositionalEmbedding(nn.Module):
    """Adds one learned vector per position: (batch, steps, width) to the same shape."""

    def __init__(self, steps: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(steps, width))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The sequence with its positions marked."""
        return x + self.weight


class ToSequence(nn.Module):
    """(batch, channels, height, width) to (batch, height * width, channels), row by row."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One step per place of the image."""
        return x.flatten(2).transpose(1, 2)


class Zeros(nn.Module):
    """Zeros of one shape for each sample, whatever the sample is."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, ...) to (batch, *shape)."""
        return torch.zeros(x.shape[0], *self.shape, device=x.device)


class FirstChannels(nn.Module):
    """The first channels of each image."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, c, h, w) to (batch, channels, h, w)."""
        return x[:, : self.channels]


class Reshape(nn.Module):
    """The same values of each sample in another shape, row by row."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, ...) to (batch, *shape)."""
        return x.reshape(x.shape[0], *self.shape)
