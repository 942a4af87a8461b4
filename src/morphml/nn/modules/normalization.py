"""Normalisation over the channels of images and volumes."""

from __future__ import annotations

import torch
from torch import nn


class ChannelLayerNorm(nn.Module):
    """``nn.LayerNorm`` over the channel axis of (batch, channels, ...), place by place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The channels of each place with mean 0 and variance 1, then scaled and shifted."""
        y: torch.Tensor = self.norm(x.movedim(1, -1))
        return y.movedim(-1, 1)


class ChannelRMSNorm(nn.Module):
    """``nn.RMSNorm`` over the channel axis of (batch, channels, ...), place by place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The channels of each place with mean square 1, then scaled."""
        y: torch.Tensor = self.norm(x.movedim(1, -1))
        return y.movedim(-1, 1)
