"""Errors of NVIDIA's GPUs that no program can have caused, and only a reset or a repair mends."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

#: Numbers of Xid errors that are the hardware's: memory errors, failed row remappings, NVLink, a
#: GPU that fell off the bus, uncontained errors, a system processor that does not answer. Others,
#: such as 13, 31 and 43, are bugs of the program that ran.
HARDWARE_XIDS = frozenset({48, 62, 64, 74, 79, 92, 95, 119, 120, 140})


class GpuErrors:
    """Counts errors since the worker began; a GPU that does not answer has one more.

    Args:
        nvml: the driver's library, initialised.
        handles: the GPUs.
    """

    def __init__(self, nvml: ModuleType, handles: Sequence[Any]) -> None:
        self._nvml = nvml
        self._handles = handles
        self._xids: dict[str, int] = {}
        self._events = self._listen()

    def counts(self) -> list[int]:
        """Errors of each GPU, in order; about 1 ms each."""
        self._collect()
        return [self._count(handle) for handle in self._handles]

    def close(self) -> None:
        """Listen no more."""
        if self._events is not None:
            self._nvml.nvmlEventSetFree(self._events)
            self._events = None

    def _listen(self) -> Any:  # noqa: ANN401  # NVML's own
        nvml = self._nvml
        try:
            events = nvml.nvmlEventSetCreate()
            for handle in self._handles:
                nvml.nvmlDeviceRegisterEvents(handle, nvml.nvmlEventTypeXidCriticalError, events)
        except nvml.NVMLError:
            return None  # not on every system, nor in every container
        return events

    def _collect(self) -> None:
        """Take in the Xid errors that came since the last call, without waiting."""
        nvml = self._nvml
        while self._events is not None:
            try:
                event = nvml.nvmlEventSetWait_v2(self._events, 0)
            except nvml.NVMLError:
                return  # none is left: that is told as a timeout
            if event.eventData in HARDWARE_XIDS:
                name = self._name(event.device)
                self._xids[name] = self._xids.get(name, 0) + 1

    def _count(self, handle: Any) -> int:  # noqa: ANN401  # NVML's own
        nvml = self._nvml
        errors = self._xids.get(self._name(handle), 0)
        try:
            errors += nvml.nvmlDeviceGetTotalEccErrors(
                handle, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
            )
        except nvml.NVMLError_NotSupported:
            pass  # memory without error correction
        except nvml.NVMLError as error:
            errors += error.value in (nvml.NVML_ERROR_GPU_IS_LOST, nvml.NVML_ERROR_RESET_REQUIRED)
        return int(errors)

    def _name(self, handle: Any) -> str:  # noqa: ANN401  # NVML's own
        try:
            return str(self._nvml.nvmlDeviceGetUUID(handle))
        except self._nvml.NVMLError:
            return ""
