"""What an operator may set about a worker."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from morphml.engines.remote.access import parse_endpoint
from morphml.errors import CallerError, RequirementsError
from morphml.scheduling.resources import Requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """One worker process. Times are in seconds."""

    #: Masters to dial, as ``host`` or ``host:port``; of a name all its addresses are tried.
    masters: tuple[str, ...]
    #: Attempts that run at the same time, each in a child process; >= 1.
    slots: int
    #: Files of experiments and bundles of code; one folder may serve many workers of a machine.
    folder: Path
    #: For people; "" makes one of host and process id.
    name: str = ""
    #: Capabilities beside those found by itself, such as ``site-a``; no names of resources.
    labels: tuple[str, ...] = ()
    #: Amounts that replace or join those found by itself, such as ``{"gpu": 1}``.
    capabilities: Mapping[str, float] = field(default_factory=dict)
    #: Devices to spread the slots over, such as ``("cuda:0", "cuda:1")``; empty: ``cpu``.
    devices: tuple[str, ...] = ()
    #: Address of the worker's own service for operators, as ``host:port``; None offers none.
    listen: str | None = None
    #: Whether code that masters send as a pickle is run. It can do whatever this user can.
    allow_pickle: bool = False
    #: Types of jobs that are not run here, such as ``shell``; ``python`` stands for all that call a
    #: function that the workflow names.
    refuse_jobs: frozenset[str] = frozenset()
    #: Shortest and longest pause between rounds over the masters; each is drawn from 50 to 150 %.
    backoff_s: tuple[float, float] = (0.2, 5.0)
    #: For a connection and the master's welcome.
    connect_s: float = 5.0
    #: A result is kept so long after a master said that it is stored.
    keep_acknowledged_s: float = 600.0
    #: The most such results; older ones are forgotten before their time.
    keep_acknowledged: int = 20_000
    #: What running attempts get to end by themselves when the worker is asked to leave.
    drain_grace_s: float = 30.0
    #: After that, how long results are offered to masters before the worker leaves without.
    farewell_s: float = 5.0
    #: Between two measurements of how busy the machine is.
    figures_s: float = 5.0
    #: Between two messages with output of one attempt.
    output_s: float = 0.1
    #: Files of an experiment that has nothing to do here are removed after this.
    scratch_linger_s: float = 60.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            CallerError: when one is not allowed.
        """
        if not self.masters:
            raise CallerError("masters: at least one address, such as 10.0.0.5:50051")
        for each in self.masters:
            parse_endpoint(each)
        if self.slots < 1:
            raise CallerError(f"slots: at least 1, got {self.slots}")
        for label in self.labels:
            _check_label(label)
        for entry in fields(self):
            if entry.name.endswith("_s"):
                self._check_times(entry.name)

    def _check_times(self, name: str) -> None:
        value = getattr(self, name)
        for time in value if isinstance(value, tuple) else (value,):
            if not math.isfinite(time) or time < 0:
                raise CallerError(f"{name}: seconds, at least 0, got {time!r}")


def _check_label(label: str) -> None:
    """Refuse what a trial could not ask for as a label: it would only hide what was found."""
    try:
        is_label = bool(Requirements.parse({"gpu": 1.0, label: 1.0}).labels)
    except RequirementsError as error:
        raise CallerError(f"label {label!r}: {error}") from error
    if not is_label:
        raise CallerError(
            f"label {label!r} is the name of a resource, which is found by itself; say how much of "
            f"it there is with --offer {label}=AMOUNT"
        )
