"""How busy the machine is."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import psutil

from morphml.engines.remote.messages import Figures
from morphml.engines.remote.worker.gpus import Gpus

#: Interfaces of the machine to itself, whose traffic is none.
_LOOPBACKS = frozenset({"lo", "lo0"})


class FiguresTaker:
    """Measures now and then; between two measurements the last one is told.

    Args:
        folder: on the disk that counts.
        gpus: those of the machine.
        every_s: seconds between measurements.
    """

    def __init__(self, folder: Path, gpus: Gpus, every_s: float) -> None:
        self._folder = folder
        self._gpus = gpus
        self._every_s = every_s
        self._due = 0.0
        self._last = Figures()
        self._disks = Rate()
        self._networks = Rate()
        psutil.cpu_percent(None)  # the first call only starts the measurement

    def figures(self, now: float) -> Figures:
        """The figures, at most ``every_s`` old.

        Args:
            now: seconds of a monotonic clock.
        """
        if now >= self._due:
            self._due = now + self._every_s
            with contextlib.suppress(OSError):
                self._last = self._measure(now)
        return self._last

    def _measure(self, now: float) -> Figures:
        disk = shutil.disk_usage(self._folder)
        return Figures(
            cpu_percent=psutil.cpu_percent(None),
            memory_percent=psutil.virtual_memory().percent,
            disk_percent=100.0 * disk.used / max(1, disk.used + disk.free),
            disk_free=float(disk.free),
            disk_rate=self._disks.take(disk_bytes(), now),
            network_rate=self._networks.take(network_bytes(), now),
            gpus=self._gpus.figures(),
        )


class Rate:
    """Turns a count that rises into how fast it does."""

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None

    def take(self, count: int, now: float) -> float:
        """Per second since the last call; 0 at the first, and after a restart of the count."""
        before, self._last = self._last, (count, now)
        if before is None or now <= before[1]:
            return 0.0
        return max(0, count - before[0]) / (now - before[1])


def disk_bytes() -> int:
    """Bytes that all disks read and wrote since the machine began; 0 where that is not told."""
    counted = psutil.disk_io_counters()
    return 0 if counted is None else int(counted.read_bytes + counted.write_bytes)


def network_bytes() -> int:
    """Bytes that all networks received and sent since the machine began."""
    counted = psutil.net_io_counters(pernic=True)
    others = [each for name, each in counted.items() if name not in _LOOPBACKS]
    return int(sum(each.bytes_recv + each.bytes_sent for each in others))
