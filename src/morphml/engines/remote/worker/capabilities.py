"""What a machine offers to tasks, found by looking at it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from morphml.engines.local.shares import cores
from morphml.engines.remote.worker.gpus import GpuCard
from morphml.engines.remote.worker.settings import WorkerSettings

#: Bytes of memory from which a machine has the label ``high-memory``.
HIGH_MEMORY = 64 << 30
_BLOCK = Path("/sys/block")
#: Block devices that are no disks.
_NO_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")


def capabilities(settings: WorkerSettings, cards: Sequence[GpuCard]) -> dict[str, float]:
    """Amounts (``cpu`` in cores, ``memory`` and ``disk`` in bytes, ``gpu``) and 1 for each label.

    What the operator set wins.
    """
    found = {
        "cpu": float(cores()),
        "memory": float(memory_bytes()),
        "disk": float(shutil.disk_usage(_existing(settings.folder)).free),
    }
    if cards:
        found["gpu"] = float(len(cards))
        found["gpu-memory"] = float(min(card.memory for card in cards))
    labels = [*_labels(found["memory"]), *(_label(card.model) for card in cards)]
    return (
        found
        | dict.fromkeys(labels, 1.0)
        | dict.fromkeys(settings.labels, 1.0)
        | dict(settings.capabilities)
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
    """A GPU's model as a label, such as ``nvidia-h200``."""
    return "-".join(model.lower().split())


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())
