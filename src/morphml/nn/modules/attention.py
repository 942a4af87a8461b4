"""Self attention and the pre-norm transformer block."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class SelfAttention(nn.Module):
    """Multi-head self attention: (batch, steps, width) to the same shape."""

    def __init__(self, width: int, heads: int, bias: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.out = nn.Linear(width, width, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Every step looks at every step."""
        batch, steps, width = x.shape
        qkv = self.qkv(x).view(batch, steps, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value)
        y: torch.Tensor = self.out(mixed.transpose(1, 2).reshape(batch, steps, width))
        return y


class TransformerBlock(nn.Module):
    """Pre-norm transformer block: (batch, steps, width) to the same shape."""

    def __init__(
        self, width: int, heads: int, hidden: int, activation: nn.Module, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), activation, nn.Linear(hidden, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Attention, then the perceptron, each added to what came in."""
        x = x + self.dropout(self.attention(self.norm1(x)))
        y: torch.Tensor = x + self.dropout(self.mlp(self.norm2(x)))
        return y
