"""NVIDIA's library for its driver (NVML): which GPUs there are, and how they are built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuCard:
    """One GPU, as it is built."""

    model: str
    #: Bytes.
    memory: int


def read_cards(names: Sequence[str]) -> list[GpuCard]:
    """Models and memories, in the order of the names; empty where not all are known.

    Args:
        names: as ``CUDA_VISIBLE_DEVICES`` calls them: numbers or UUIDs.
    """
    nvml = open_driver() if names else None
    if nvml is None:
        return []
    try:
        return [card_of(nvml, each) for each in handles_of(nvml, names)]
    finally:
        nvml.nvmlShutdown()


def open_driver() -> ModuleType | None:
    """The library, to be shut down again; None where it, the driver, or every GPU is absent."""
    try:
        import pynvml  # noqa: PLC0415  # optional: only machines with GPUs need it
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml  # type: ignore[no-any-return]  # it has no types


def handles_of(nvml: ModuleType, names: Sequence[str]) -> list[Any]:
    """What the library calls these GPUs; empty where it does not know them all."""
    try:
        return [_handle(nvml, name) for name in names]
    except nvml.NVMLError:
        return []


def card_of(nvml: ModuleType, handle: Any) -> GpuCard:  # noqa: ANN401  # NVML's own
    """How a GPU is built; of one that does not answer nothing is known."""
    try:
        model = nvml.nvmlDeviceGetName(handle)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle).total
    except nvml.NVMLError:
        return GpuCard(model="", memory=0)
    return GpuCard(
        model=model.decode("utf-8", "replace") if isinstance(model, bytes) else model,
        memory=memory,
    )


def _handle(nvml: ModuleType, name: str) -> Any:  # noqa: ANN401  # NVML's own
    if name.isdigit():
        return nvml.nvmlDeviceGetHandleByIndex(int(name))
    return nvml.nvmlDeviceGetHandleByUUID(name)
