"""Tests here share cases; their folder is put on the path for that."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))

# As in the processes that run trials: more threads only wait for each other on small networks.
torch.set_num_threads(1)
