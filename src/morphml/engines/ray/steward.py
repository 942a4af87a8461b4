"""A hub's view of its workers on Ray: how many are of use, and which of them go."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from morphml.clock import Clock
from morphml.engines.ray.labels import ON_RAY
from morphml.engines.ray.thrift import Seen, Thrift
from morphml.engines.remote.hub import Hub
from morphml.engines.remote.hub.views import WorkerView
from morphml.scheduling.worker import AWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a provider is to know now."""

    #: Slots that it is to have there.
    wanted: float
    #: Workers that leave since they are not needed; their ends are no failures of their nodes.
    spare: Collection[str]


class Steward:
    """Answers for one hub. Thread-safe.

    Args:
        hub: has the workers.
        wanted: slots that are of use now, of all workers on Ray.
        idle_s: time without work after which a worker may go.
        clock: monotonic time.
    """

    def __init__(self, hub: Hub, wanted: Callable[[], float], idle_s: float, clock: Clock) -> None:
        self._hub = hub
        self._wanted = wanted
        self._thrift = Thrift(idle_s)
        self._clock = clock

    def release(self, name: str, grace_s: float = 0.0) -> None:
        """Let the worker of that name leave, if it is here; its node is given to others.

        What does not end within the time is preempted, and runs again elsewhere. Cost: O(workers).
        """
        for view in self._here():
            if view.name == name:
                self._hub.drain(view.id, grace_s)

    def look(self, own: Collection[str], *, thrifty: bool) -> Look:
        """How many slots the provider is to have, and who is let go.

        Args:
            own: names of workers that it looks after; others were a dead master's.
            thrifty: whether nodes come and go by demand.
        """
        wanted = self._wanted()
        there = [view for view in self._here() if ON_RAY in view.capabilities]
        adopted = sum(view.slots for view in there if view.name not in own)
        spare: list[str] = []
        if thrifty:
            seen = [Seen(name=v.name, slots=v.slots, busy=v.running + v.queued) for v in there]
            spare = self._thrift.spare(seen, wanted, self._clock.monotonic())
            for name in spare:
                self.release(name)
        return Look(wanted=max(0.0, wanted - adopted), spare=spare)

    def _here(self) -> list[WorkerView]:
        return [view for view in self._hub.workers() if view.state not in AWAY]
