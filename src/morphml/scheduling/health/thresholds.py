"""When a worker is too sick for more work, as one table of thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Figure(StrEnum):
    """What is measured of a worker's machine; its history shows the worst of several GPUs."""

    CPU_PERCENT = "cpu_percent"
    MEMORY_PERCENT = "memory_percent"
    DISK_PERCENT = "disk_percent"
    #: Bytes free on the disk of the worker's files.
    DISK_FREE = "disk_free"
    #: Bytes read and written a second by all disks, received and sent by all networks.
    DISK_RATE = "disk_rate"
    NETWORK_RATE = "network_rate"
    GPU_PERCENT = "gpu_percent"
    GPU_MEMORY_PERCENT = "gpu_memory_percent"
    #: Degrees Celsius.
    GPU_TEMPERATURE = "gpu_temperature_c"
    #: Errors that only a reset or a repair mends: uncorrected memory errors, critical Xid errors,
    #: a GPU that does not answer any more.
    GPU_ERRORS = "gpu_errors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A figure that makes a worker sick, and the one that makes it well again.

    The two lie apart and both must last, so that a worker on the edge does not come and go.
    """

    figure: Figure
    #: The figure from which the worker is sick.
    sick: float
    #: The figure from which it is well again.
    well: float
    #: Seconds that either must last.
    for_s: float = 10.0
    #: What people are told, with the figure divided by ``unit`` in place of ``{}``.
    words: str
    unit: float = 1.0

    def shown(self, value: float) -> str:
        """What people are told of a figure past the threshold."""
        return self.words.format(value / self.unit)

    def is_sick(self, value: float) -> bool:
        """Whether the figure is past the threshold."""
        return value >= self.sick if self.sick >= self.well else value <= self.sick

    def is_well(self, value: float) -> bool:
        """Whether the figure is where nothing is wrong."""
        return value <= self.well if self.sick >= self.well else value >= self.well


MIB = float(1 << 20)

#: A busy processor is no sickness, and an attempt with a memory limit is ended by that.
THRESHOLDS: tuple[Threshold, ...] = (
    Threshold(
        figure=Figure.DISK_FREE,
        sick=256 * MIB,
        well=1024 * MIB,
        for_s=0.0,
        words="its disk is full: {:,.0f} MiB left",
        unit=MIB,
    ),
    Threshold(
        figure=Figure.MEMORY_PERCENT, sick=97.0, well=90.0, words="its memory is full: {:.0f} %"
    ),
)

#: Each GPU is judged by itself, by its worker: one of several takes nothing with it.
GPU_THRESHOLDS: tuple[Threshold, ...] = (
    Threshold(figure=Figure.GPU_TEMPERATURE, sick=92.0, well=80.0, words="it is too hot: {:.0f} C"),
    Threshold(
        figure=Figure.GPU_ERRORS, sick=1.0, well=0.0, for_s=0.0, words="it has {:.0f} errors"
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRule:
    """When workers are drained, and how much of their past is kept."""

    #: What is judged; see the page on faults.
    thresholds: tuple[Threshold, ...] = THRESHOLDS
    #: Seconds between two figures of the history.
    sample_s: float = 10.0
    #: Figures of the history of each worker: 360 are an hour, in 16 KiB.
    samples: int = 360

    def __post_init__(self) -> None:
        """Refuse what could never drain or never recover."""
        for each in self.thresholds:
            if not (math.isfinite(each.sick) and math.isfinite(each.well) and each.for_s >= 0):
                raise ValueError(f"threshold of {each.figure}: finite figures, got {each}")
        if self.samples < 1 or self.sample_s <= 0:
            raise ValueError("samples: at least 1; sample_s: above 0")


#: Figures of one moment; those that a machine does not have are absent.
Figures = Mapping[Figure, float]
