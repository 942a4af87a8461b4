"""The GPUs of this machine: which there are, and how a process is shown some of them only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from morphml.errors import CallerError, WorkerError

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_ORDER = "CUDA_DEVICE_ORDER"


def cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def default_workers(devices: Sequence[str]) -> int:
    """One for each GPU; without any, half the processors that this process may use.

    Args:
        devices: such as ``cuda:0``.
    """
    return sum(name.startswith("cuda") for name in devices) or max(1, cores() // 2)


def gpus() -> tuple[str, ...]:
    """The NVIDIA GPUs that this process may use, as torch names them, without starting CUDA."""
    allowed = _allowed()
    if allowed is not None:
        return tuple(f"cuda:{index}" for index in range(len(allowed)))
    found = [path for path in Path("/dev").glob("nvidia*") if path.name[6:].isdigit()]
    return tuple(f"cuda:{index}" for index in range(len(found)))


def chosen_gpus(wanted: str) -> tuple[str, ...]:
    """Those of the machine's GPUs that an operator names, in that order; ``cpu`` for ``none``.

    Args:
        wanted: numbers with commas, such as ``0,2``, or ``none``.

    Raises:
        CallerError: when there is no such one, or one is named twice; says what there is.
    """
    if wanted.strip().lower() == "none":
        return ("cpu",)
    numbers = [part.strip() for part in wanted.split(",")]
    found = gpus()
    names = tuple(f"cuda:{number}" for number in numbers)
    if not set(names) <= set(found) or len(set(names)) < len(names):
        there = [
            "no GPU",
            "one GPU numbered 0",
            f"{len(found)} GPUs numbered 0 to {len(found) - 1}",
        ]
        raise CallerError(
            f"gpus: each once, by numbers with commas, or none; got {wanted!r}, and this process "
            f"may use {there[min(len(found), 2)]}"
        )
    return names


def visible(names: Sequence[str]) -> tuple[str, ...]:
    """What ``CUDA_VISIBLE_DEVICES`` calls those of the devices that are CUDA's.

    Args:
        names: such as ``cuda:1``: the second of those that this process may see itself.

    Raises:
        WorkerError: when this process may not see one of them.
    """
    found = []
    allowed = _allowed()
    for name in names:
        kind, _, number = name.partition(":")
        if kind == "cuda":
            found.append(_visible(number or "0", allowed))
    return tuple(found)


def showing(names: str) -> dict[str, str]:
    """The environment in which a process sees these GPUs only.

    They are counted as the driver's tools count them, unless who started this process has counted
    in another way already.
    """
    environment = {_VISIBLE: names}
    if _VISIBLE not in os.environ and _ORDER not in os.environ:
        environment[_ORDER] = "PCI_BUS_ID"
    return environment


def _allowed() -> list[str] | None:
    """The GPUs that this process may see; None for all. As CUDA does, it ends at the first -1."""
    value = os.environ.get(_VISIBLE)
    if value is None:
        return None
    names = [name.strip() for name in value.split(",") if name.strip()]
    return names[: names.index("-1")] if "-1" in names else names


def _visible(number: str, allowed: list[str] | None) -> str:
    if allowed is None or not number.isdigit():
        return number
    if int(number) >= len(allowed):
        shown = ",".join(allowed)
        raise WorkerError(f"device cuda:{number}: CUDA_VISIBLE_DEVICES={shown} has no such one")
    return allowed[int(number)]
