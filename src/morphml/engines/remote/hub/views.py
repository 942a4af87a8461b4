"""What others may see of a hub: its workers, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from morphml.engines.remote.messages import Figures, Registration, ShutGpu
from morphml.ids import ExperimentId
from morphml.scheduling.worker import WorkerState


class Glance(NamedTuple):
    """What of a worker matters at once to others; a view is made only where that changed."""

    state: WorkerState
    running: int
    queued: int
    barred: str
    shut_gpus: tuple[ShutGpu, ...]
    registration: Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """A worker at one moment."""

    id: str
    #: By which a later look sees whether it has changed.
    glance: Glance
    name: str
    state: WorkerState
    #: Attempts that it can run at once, those that run, and those that wait there.
    slots: int
    running: int
    queued: int
    #: Attempts that it may be sent now.
    free: int
    capabilities: Mapping[str, float]
    figures: Figures
    morphml_version: str
    python_version: str
    #: Why it gets no work although it is there; "" where it does.
    barred: str
    #: Those of its GPUs that get no work.
    shut_gpus: tuple[ShutGpu, ...]
    #: Where its stream comes from, such as ``ipv4:10.0.0.7:41000``; "" when it has none.
    peer: str
    #: Seconds since the Unix epoch of its last message.
    heard_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingView:
    """Attempts of one experiment with the same requirements that wait for a worker."""

    experiment: ExperimentId
    requirements: Mapping[str, float]
    count: int
    #: Whether some live worker could run them once it is free.
    feasible: bool

    @property
    def workers(self) -> int:
        """How many workers each of them takes at once."""
        return int(self.requirements.get("workers", 1))
