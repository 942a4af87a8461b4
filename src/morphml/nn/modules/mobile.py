"""Squeeze and excitation, and the inverted bottleneck."""

from __future__ import annotations

import torch
from torch import nn


class SqueezeExcite(nn.Module):
    """Weights each channel by what a small network says of all channel means."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channels, ...) to the same shape."""
        weight = torch.relu(self.reduce(x.flatten(2).mean(2)))
        weight = torch.sigmoid(self.expand(weight))
        return x * weight.reshape(weight.shape + (1,) * (x.dim() - 2))


class MBConv(nn.Module):
    """Inverted bottleneck: expand, depthwise, squeeze and excite, project."""

    def __init__(
        self,
        channels: int,
        filters: int,
        hidden: int,
        depthwise: nn.Module,
        activation: nn.Module,
        excite: nn.Module | None = None,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if hidden != channels:
            layers += [nn.Conv2d(channels, hidden, 1, bias=False), nn.BatchNorm2d(hidden)]
            layers += [activation]
        layers += [depthwise, nn.BatchNorm2d(hidden), activation]
        if excite is not None:
            layers += [excite]
        layers += [nn.Conv2d(hidden, filters, 1, bias=False), nn.BatchNorm2d(filters)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channels, h, w) to (batch, filters, ceil(h / stride), ceil(w / stride))."""
        y: torch.Tensor = self.layers(x)
        return y


class Residual(nn.Module):
    """What the body makes of its input, added to the input."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape that the body keeps."""
        y: torch.Tensor = x + self.body(x)
        return y
