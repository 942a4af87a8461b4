"""How busy NVIDIA's GPUs are, by the library of their driver; none where it is absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from morphml.engines.nvml import GpuCard, card_of, handles_of, open_driver
from morphml.engines.remote.messages import GpuFigures
from morphml.engines.remote.worker.gpu_errors import GpuErrors


class Gpus:
    """GPUs of this machine; a driver that fails is as one that is absent.

    Args:
        names: which, as ``CUDA_VISIBLE_DEVICES`` calls them: numbers or UUIDs; in this order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._nvml = open_driver() if names else None
        self._handles = [] if self._nvml is None else handles_of(self._nvml, names)
        self._errors = GpuErrors(self._nvml, self._handles) if self._nvml is not None else None
        self._cards = [card_of(self._nvml, each) for each in self._handles if self._nvml]

    def cards(self) -> list[GpuCard]:
        """Models and memories, in the order of the names; empty where not all are known."""
        return list(self._cards)

    def figures(self) -> tuple[GpuFigures, ...]:
        """How busy they are, zeros for one that does not answer any more; about 1 ms each."""
        if self._errors is None:
            return ()
        counts = self._errors.counts()
        return tuple(
            replace(self._figures(index, each), errors=counts[index])
            for index, each in enumerate(self._handles)
        )

    def close(self) -> None:
        """Let the driver go."""
        if self._errors is not None:
            self._errors.close()
            self._errors = None
        if self._nvml is not None:
            self._nvml.nvmlShutdown()
            self._nvml, self._handles = None, []

    def _figures(self, index: int, handle: Any) -> GpuFigures:  # noqa: ANN401  # NVML's own
        nvml = self._nvml
        assert nvml is not None
        total = self._cards[index].memory
        return GpuFigures(
            index=index,
            model=self._cards[index].model,
            percent=float(self._ask("nvmlDeviceGetUtilizationRates", handle, "gpu")),
            memory_percent=100.0
            * self._ask("nvmlDeviceGetMemoryInfo", handle, "used")
            / (total or 1),
            temperature_c=float(
                self._ask("nvmlDeviceGetTemperature", handle, "", nvml.NVML_TEMPERATURE_GPU)
            ),
        )

    def _ask(self, call: str, handle: Any, part: str, *more: int) -> float:  # noqa: ANN401
        """A figure that some GPUs do not give; 0 then."""
        assert self._nvml is not None
        try:
            found = getattr(self._nvml, call)(handle, *more)
        except self._nvml.NVMLError:
            return 0.0
        return float(getattr(found, part) if part else found)
