"""How busy the machine is."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import psutil

from morphml.engines.remote.messages import Figures
from morphml.engines.remote.worker.gpus import Gpus


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
        psutil.cpu_percent(None)  # the first call only starts the measurement

    def figures(self, now: float) -> Figures:
        """The figures, at most ``every_s`` old.

        Args:
            now: seconds of a monotonic clock.
        """
        if now >= self._due:
            self._due = now + self._every_s
            with contextlib.suppress(OSError):
                self._last = self._measure()
        return self._last

    def _measure(self) -> Figures:
        disk = shutil.disk_usage(self._folder)
        return Figures(
            cpu_percent=psutil.cpu_percent(None),
            memory_percent=psutil.virtual_memory().percent,
            disk_percent=100.0 * disk.used / max(1, disk.total),
            gpus=self._gpus.figures(),
        )
