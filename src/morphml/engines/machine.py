"""What this machine has for attempts, found by looking at it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from morphml.engines.devices import cores, visible
from morphml.engines.nvml import GpuCard, read_cards
from morphml.scheduling.resources import Capacity, Gpu

#: Bytes of memory from which a machine has the label ``high-memory``.
HIGH_MEMORY = 64 << 30
_BLOCK = Path("/sys/block")
#: Block devices that are no disks.
_NO_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")


def local_capacity(devices: Sequence[str]) -> Capacity:
    """What attempts in processes of this machine may take.

    Args:
        devices: such as ``cuda:0``; those of CUDA are its GPUs.
    """
    return machine_capacity(Path.cwd(), devices, read_cards(visible(devices)))


def machine_capacity(folder: Path, devices: Sequence[str], cards: Sequence[GpuCard]) -> Capacity:
    """Cores, memory, disk, GPUs and labels of this machine.

    Args:
        folder: disk is what is free where it lies.
        devices: such as ``cuda:0``; those of CUDA are its GPUs.
        cards: what is known of these, in the same order; may end early.
    """
    memory = float(memory_bytes())
    disk = float(shutil.disk_usage(_existing(folder)).free)
    gpus = []
    for index in range(len(visible(devices))):
        card = cards[index] if index < len(cards) else GpuCard(model="", memory=0)
        gpus.append(Gpu(index=index, model=_label(card.model), memory=float(card.memory)))
    return Capacity(
        amounts={"cpu": float(cores()), "memory": memory, "disk": disk},
        gpus=tuple(gpus),
        labels=dict.fromkeys(_labels(memory), 1.0),
    )


def memory_bytes() -> int:
    """Memory that this process may use: the machine's, or less where a control group says so."""
    total = int(psutil.virtual_memory().total)
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            text = (Path("/sys/fs/cgroup") / name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total


def has_ssd(block: Path = _BLOCK) -> bool:
    """Whether a disk of this machine does not rotate; False where the system does not tell."""
    return any(_turns(disk) == "0" for disk in _disks(block))


def _labels(memory: float) -> list[str]:
    labels = []
    if memory >= HIGH_MEMORY:
        labels.append("high-memory")
    if has_ssd():
        labels.append("ssd")
    if _reaches_others():
        labels.append("network")
    return labels


def _reaches_others() -> bool:
    """Whether an interface beside the loopback is up and has an address."""
    up = {name for name, each in psutil.net_if_stats().items() if each.isup}
    families = (socket.AF_INET, socket.AF_INET6)
    return any(
        name in up and address.family in families and not _loopback(address.address)
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
    )


def _loopback(address: str) -> bool:
    return address.startswith("127.") or address in ("::1", "fe80::1%lo0")


def _disks(block: Path) -> Iterable[Path]:
    try:
        return [each for each in block.iterdir() if not each.name.startswith(_NO_DISKS)]
    except OSError:
        return []


def _turns(disk: Path) -> str:
    try:
        return (disk / "queue" / "rotational").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _label(model: str) -> str:
    """A GPU's model as one word, such as ``nvidia-h200``."""
    return "-".join(model.lower().split())


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())
