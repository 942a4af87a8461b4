"""Which GPUs of a worker get no work: those on which all failed, and those that are sick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from morphml.engines.local.binding import Binding
from morphml.engines.remote.messages import GpuFigures, ShutGpu
from morphml.scheduling.health import (
    GPU_THRESHOLDS,
    Drain,
    Figure,
    HealthMonitor,
    HealthRule,
    Recover,
)


class GpuWatch:
    """Judges each GPU by its own figures, and tells masters which are given to nobody.

    Args:
        binding: gives them away.
    """

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self._monitor = HealthMonitor(HealthRule(thresholds=GPU_THRESHOLDS, samples=1))
        self._sick: dict[int, str] = {}
        self._told: tuple[ShutGpu, ...] = ()

    def look(self, gpus: Sequence[GpuFigures], now: float) -> None:
        """New figures, at monotonic seconds."""
        for gpu in gpus:
            figures = {
                Figure.GPU_TEMPERATURE: gpu.temperature_c,
                Figure.GPU_ERRORS: float(gpu.errors),
            }
            for command in self._monitor.measured(str(gpu.index), figures, now):
                match command:
                    case Drain():
                        self._sick[gpu.index] = command.reason
                    case Recover():
                        del self._sick[gpu.index]
                    case _:
                        assert_never(command)
        self._binding.care.declare(self._sick)

    def news(self) -> bool:
        """Whether something changed that was not told yet."""
        # Asked in every turn of the worker, of which most have no GPU that is shut.
        return bool(self._told or self._binding.care.shut) and self._shut() != self._told

    def tell(self) -> tuple[ShutGpu, ...]:
        """Those that get no work now; they count as told."""
        self._told = self._shut()
        return self._told

    @property
    def shut_slots(self) -> int:
        """Slots that are not used for that."""
        return self._binding.shut_slots

    def _shut(self) -> tuple[ShutGpu, ...]:
        why = self._binding.care.why
        return tuple(ShutGpu(index=index, why=each) for index, each in why.items())
