"""How a machine is shared out between children: cores, devices, and imports done once."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from morphml.engines.local.pool import SlotPlan
from morphml.errors import WorkerError

#: Packages worth importing once, before the fork, when this process has them or they are needed.
_PRELOADED = ("numpy", "scipy", "pandas", "torch", "sklearn")
#: Those that no child needs unless its evaluator says so: torch imports its compiler when a process
#: makes its first optimizer, which takes seconds.
_ON_DEMAND = ("torch._dynamo",)
#: What every child needs to read its space.
_ALWAYS = ("morphml.space",)
#: What comes with a package in every child that builds models.
_ALONG = {"torch": ("morphml.nn",)}


def slot_plan(index: int, devices: Sequence[str]) -> SlotPlan:
    """What is fixed about slot ``index``: its name, device, and what its child may see of it."""
    name = f"local-{index}"
    if not devices:
        return SlotPlan(name=name, device="cpu", env={})
    device = devices[index % len(devices)]
    kind, _, number = device.partition(":")
    if kind != "cuda":
        return SlotPlan(name=name, device=device, env={})
    return SlotPlan(name=name, device="cuda", env={"CUDA_VISIBLE_DEVICES": _visible(number or "0")})


def _visible(number: str) -> str:
    """Device ``number`` as CUDA is to see it, among those that this process may see itself."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not allowed or not number.isdigit():
        return number
    names = [name.strip() for name in allowed.split(",")]
    if int(number) >= len(names):
        raise WorkerError(f"device cuda:{number}: CUDA_VISIBLE_DEVICES={allowed} has no such one")
    return names[int(number)]


def cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def preload(needs: Sequence[str]) -> list[str]:
    """Modules for the fork server to import: heavy ones, known by name, never the user's."""
    wanted = [name for name in _PRELOADED if name in sys.modules or name in needs]
    wanted += [name for name in _ON_DEMAND if name in needs]
    return [*_ALWAYS, *(module for name in wanted for module in (name, *_ALONG.get(name, ())))]
