"""Trainings here run on one thread, as in the processes that run trials."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
