"""What a machine has for trials: its GPUs, and how many trials it runs at a time by default."""

from __future__ import annotations

import os
from pathlib import Path


def default_workers() -> int:
    """One for each GPU; without any, half the processors that this process may use."""
    return len(gpus()) or max(1, len(os.sched_getaffinity(0)) // 2)


def gpus() -> tuple[str, ...]:
    """The NVIDIA GPUs of this machine as torch names them, without starting CUDA."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None:
        return tuple(f"cuda:{index}" for index, name in enumerate(hidden.split(",")) if name)
    found = [path for path in Path("/dev").glob("nvidia*") if path.name[6:].isdigit()]
    return tuple(f"cuda:{index}" for index in range(len(found)))
