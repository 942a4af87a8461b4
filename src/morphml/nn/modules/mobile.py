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
    """Inverted bottleneck: expand, depthwise, squeeze and excite, project; may add its input."""

    def __init__(  # noqa: PLR0913 - the parameters are the layer
        self,
        channels: int,
        filters: int,
        hidden: int,
        activation: nn.Module,
        kernel_size: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        squeezed: int = 0,
        residual: bool = False,
    ) -> None:
        super().__init__()
        height, width = (kernel_size,) * 2 if isinstance(kernel_size, int) else kernel_size
        layers: list[nn.Module] = []
        if hidden != channels:
            layers += [nn.Conv2d(channels, hidden, 1, bias=False), nn.BatchNorm2d(hidden)]
            layers += [activation]
        padding = (height // 2, width // 2)
        if height % 2 == 0 or width % 2 == 0:  # one cell more after than before
            pads = ((width - 1) // 2, width // 2, (height - 1) // 2, height // 2)
            layers += [nn.ZeroPad2d(pads)]
            padding = (0, 0)
        kernel = (height, width)
        layers += [nn.Conv2d(hidden, hidden, kernel, stride, padding, groups=hidden, bias=False)]
        layers += [nn.BatchNorm2d(hidden), activation]
        if squeezed:
            layers += [SqueezeExcite(hidden, squeezed)]
        layers += [nn.Conv2d(hidden, filters, 1, bias=False), nn.BatchNorm2d(filters)]
        self.layers = nn.Sequential(*layers)
        self.residual = residual

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channels, h, w) to (batch, filters, ceil(h / stride), ceil(w / stride))."""
        y: torch.Tensor = self.layers(x)
        return x + y if self.residual else y
