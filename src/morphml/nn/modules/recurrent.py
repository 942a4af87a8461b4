"""LSTM and GRU that take and return one tensor."""

from __future__ import annotations

import torch
from torch import nn


class LSTM(nn.Module):
    """``nn.LSTM`` that returns every step's output, or the final states of the last layer."""

    def __init__(
        self,
        features: int,
        units: int,
        layers: int = 1,
        bidirectional: bool = False,
        sequences: bool = True,
    ) -> None:
        super().__init__()
        self.sequences = sequences
        self.directions = 2 if bidirectional else 1
        self.lstm = nn.LSTM(features, units, layers, batch_first=True, bidirectional=bidirectional)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, steps, features) to (batch, steps, units) or (batch, units), per direction."""
        outputs, (hidden, _) = self.lstm(x)
        return outputs if self.sequences else torch.cat(list(hidden[-self.directions :]), dim=1)


class GRU(nn.Module):
    """``nn.GRU`` that returns every step's output, or the final states of the last layer."""

    def __init__(
        self,
        features: int,
        units: int,
        layers: int = 1,
        bidirectional: bool = False,
        sequences: bool = True,
    ) -> None:
        super().__init__()
        self.sequences = sequences
        self.directions = 2 if bidirectional else 1
        self.gru = nn.GRU(features, units, layers, batch_first=True, bidirectional=bidirectional)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, steps, features) to (batch, steps, units) or (batch, units), per direction."""
        outputs, hidden = self.gru(x)
        return outputs if self.sequences else torch.cat(list(hidden[-self.directions :]), dim=1)
