"""What may be set of the Ray engine."""

from __future__ import annotations

from dataclasses import dataclass, field

from morphml.engines.ray.planning import SlotShape
from morphml.errors import CallerError

#: Ray's own keys for a cluster that is started here: a dead node is noticed within 10 s, and one
#: that is only busy is left alone. What it ran is known to be lost before, by its broken stream.
FAST_DETECTION = {
    "health_check_initial_delay_ms": 2000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 3000,
    "health_check_failure_threshold": 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RaySettings:
    """How a Ray cluster is used. Times in seconds."""

    #: ``HOST:PORT`` of the head, or ``auto`` for the cluster of this machine; "" takes
    #: ``RAY_ADDRESS``, else starts a cluster of this machine alone, which ends with the engine.
    address: str = ""
    #: Slots to take at most, >= 1; None takes all that are free, and those of nodes that join.
    slots: int | None = None
    #: Whether a cluster that is started here has room for all slots, however few cores there are.
    crowded: bool = False
    #: What a slot takes of a node.
    shape: SlotShape = field(default_factory=SlotShape)
    #: Between two looks at the nodes.
    look_every_s: float = 0.5
    #: Time within which a cluster must be reached, or one must have started.
    connect_within_s: float = 150.0
    #: A worker that no master has confirmed for so long kills what it runs and ends: two leases.
    give_up_after_s: float = 16.0
    #: A worker that Ray has not started after so long is taken back, and tried again later.
    start_within_s: float = 60.0
    #: Names the workers of one engine to those who look after them; made by the engine.
    crew: str = ""
    #: Where nodes come and go by demand, a worker that is not needed gives its node back after
    #: having done nothing for so long.
    idle_s: float = 30.0
    #: First and longest pause before a node gets another worker after one that did not last.
    backoff_s: tuple[float, float] = (1.0, 60.0)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            CallerError: when one is not allowed.
        """
        if self.address.startswith("ray://"):
            raise CallerError(
                f"{self.address} is a Ray client, and workers could not dial back to this machine; "
                "a search takes it as its engine and goes to the cluster as a job; a master must "
                "run inside the cluster, with HOST:6379 of its head"
            )
        if self.slots is not None and self.slots < 1:
            raise CallerError(f"slots: at least 1, got {self.slots}")
        if self.crowded and self.slots is None:
            raise CallerError("crowded: say with slots how many are wanted")
        if not self.shape.cpu > 0:
            raise CallerError(f"cpu: cores of a slot, above 0, got {self.shape.cpu}")
