"""What a worker offers to tasks: what its machine has, and what its operator says."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.engines.machine import machine_capacity
from morphml.engines.nvml import GpuCard
from morphml.engines.remote.worker.settings import WorkerSettings


def capabilities(settings: WorkerSettings, cards: Sequence[GpuCard]) -> dict[str, float]:
    """What the machine has, as ``Capacity`` reads it; what the operator set wins.

    Args:
        settings: of the operator.
        cards: what is known of the settings' devices, in their order.
    """
    found = machine_capacity(settings.folder, settings.devices, cards).offers()
    return found | dict.fromkeys(settings.labels, 1.0) | dict(settings.capabilities)
