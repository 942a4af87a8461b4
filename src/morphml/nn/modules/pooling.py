"""Average pooling with uneven padding."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class AveragePoolSame(nn.Module):
    """Mean over windows of the cells that lie inside; output is ceil(n / stride) cells long.

    ``pads`` are cells before and after, last axis first, as ``F.pad`` takes them.
    """

    def __init__(
        self, size: int | tuple[int, ...], stride: int | tuple[int, ...], pads: tuple[int, ...]
    ) -> None:
        super().__init__()
        pools = {2: nn.AvgPool1d, 4: nn.AvgPool2d, 6: nn.AvgPool3d}
        self.pool = pools[len(pads)](size, stride)
        self.pads = pads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, channels, ...) to (batch, channels, ...)."""
        inside = self.pool(F.pad(torch.ones_like(x[:1, :1]), self.pads))
        y: torch.Tensor = self.pool(F.pad(x, self.pads)) / inside
        return y
