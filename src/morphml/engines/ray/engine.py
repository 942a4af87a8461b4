"""The engine of a search in this process whose attempts run on a Ray cluster."""

from __future__ import annotations

import logging
import math
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from morphml.clock import Clock, SystemClock
from morphml.engines.port import Assignment, Context, EngineEvent, Order
from morphml.engines.ray import need_ray
from morphml.engines.ray.door import make_door
from morphml.engines.ray.records import MemoryRecords
from morphml.engines.ray.settings import RaySettings
from morphml.engines.ray.steward import Steward
from morphml.engines.ray.supply import NodeSeen, Supply
from morphml.engines.remote.access import Endpoint
from morphml.engines.remote.hub import Hub, HubSettings, Lane, identify
from morphml.engines.remote.hub.views import WorkerView
from morphml.errors import RequirementsError, WorkerError
from morphml.ids import AttemptToken, ExperimentId, new_session_id
from morphml.scheduling.resources import Capacity, Requirements, missing, words

_LOG = logging.getLogger(__name__)

#: Seconds between two looks where several experiments share the engine.
_TURN_S = 0.01


class RayEngine:
    """Runs attempts at workers on the nodes of a Ray cluster.

    The hub of this process decides about attempts, as a master's does; Ray places the workers that
    dial it. A node that joins gets one within seconds, a node that dies costs what ran there one
    attempt, and the search goes on without a cluster until there is one again.

    Args:
        settings: which cluster, and how much of it.
        version: of MorphML, which workers must have too.
        hub: times of the hub; its address is chosen here.
        clock: hour and monotonic time.

    Raises:
        MissingExtraError: without the extra ``ray``.
        WorkerError: when no cluster is reached or can be started.
    """

    def __init__(
        self,
        settings: RaySettings,
        version: str,
        hub: HubSettings | None = None,
        clock: Clock | None = None,
    ) -> None:
        need_ray("engine='ray'")
        clock = clock or SystemClock()
        self._settings = settings
        self._records = MemoryRecords()
        self._lanes: dict[ExperimentId, Lane] = {}
        self._closed = False
        #: Whether it was said how many tasks there will be.
        self._foretold = False
        self._hub: Hub | None = None
        self._keys = Path(tempfile.mkdtemp(prefix="morphml-ray-keys-"))
        try:
            self._supply = Supply(settings)
        except BaseException:
            shutil.rmtree(self._keys, ignore_errors=True)
            raise
        try:
            self._open(version, hub, clock)
        except BaseException:
            self.close()
            raise

    def _open(self, version: str, hub: HubSettings | None, clock: Clock) -> None:
        host = self._supply.connected.here
        door = make_door(host, self._keys, clock)
        session = new_session_id()
        listen = str(Endpoint(host=host, port=0))
        self._hub = Hub(
            replace(hub or HubSettings(), listen=listen),
            self._records,
            door.access,
            lambda: identify(session, version),
            clock,
        )
        self._hub.start()
        steward = Steward(self._hub, self._wanted, self._settings.idle_s, clock)
        summons = door.summons(self._hub.port, host, self._settings.give_up_after_s)
        self._supply.serve(summons, steward)

    # --- the port --------------------------------------------------------------------------------

    @property
    def slots(self) -> int:
        """Slots of the workers that are here now."""
        if self._closed or self._hub is None:
            return 0
        # Each lane tells the hub what it may use; every one may use all.
        return max([lane.slots for lane in self._lanes.values()], default=self._hub.slots())

    def check(self, resources: Mapping[str, float]) -> None:
        """Nothing where some node could run such trials, were it free, or one may still come.

        Args:
            resources: what one trial needs.

        Raises:
            RequirementsError: what no node has, and nobody adds nodes by demand.
        """
        cluster = self._supply.connected
        nodes = [Capacity.parse(each) for each in cluster.offers if each["cpu"] > 0]
        needs = Requirements.parse(resources)
        lacks = missing(needs, nodes)
        if not nodes:
            _LOG.warning("no node of the Ray cluster has a core: the search waits for one")
        elif lacks:
            said = "; ".join(str(each) for each in lacks).replace("worker", "node")
            text = f"no node of the Ray cluster can run trials that need {words(needs)}: {said}"
            if not cluster.grows:
                raise RequirementsError(f"{text}; ask for less, or start such a node first")
            _LOG.warning("%s; the search waits until the cluster grows by one", text)

    @property
    def ahead(self) -> int:
        """Tasks that workers take beyond their slots."""
        return sum(lane.ahead for lane in self._lanes.values())

    def prepare(self, experiment: ExperimentId, context: Context) -> None:
        """Make an experiment known, to the workers too, before its first ``submit``.

        Raises:
            EvaluatorError: when the evaluator cannot be loaded or cannot travel.
            WorkerError: when the engine is closed.
        """
        hub = self._open_hub()
        self._records.keep(experiment, context)
        if experiment not in self._lanes:
            self._lanes[experiment] = hub.lane(experiment, hub.slots)
        self._lanes[experiment].prepare(experiment, context)

    def expect(self, experiment: ExperimentId, more: int) -> None:
        """So many tasks the experiment will still bring: for more no node is kept or asked for."""
        lane = self._lanes.get(experiment)
        if lane is not None:
            lane.expect(more)
            self._foretold = True

    def submit(self, *assignments: Assignment) -> None:
        """Send attempts to workers, or queue them. Never waits.

        While no worker is here (``slots`` is 0) they end as ``Returned``.

        Raises:
            WorkerError: when the experiment was not prepared or the engine is closed.
        """
        self._open_hub()
        for assignment in assignments:
            lane = self._lanes.get(assignment.experiment)
            if lane is None:
                raise WorkerError(f"experiment {assignment.experiment}: it was not prepared")
            lane.submit(assignment)

    def order(self, token: AttemptToken, order: Order) -> None:
        """Pass an order on. Never waits; a token that ended already is ignored."""
        self._open_hub().order(token, order)

    def acknowledge(self, tokens: Sequence[AttemptToken]) -> None:
        """The ends of these attempts are stored; their workers may forget them."""
        self._open_hub().acknowledge(tokens)

    def events(self, timeout_s: float) -> list[EngineEvent]:
        """What happened, in order; waits up to ``timeout_s`` seconds when nothing did.

        With one experiment it is woken, with several it looks a hundred times a second.
        """
        lanes = list(self._lanes.values())
        if len(lanes) == 1:
            return lanes[0].events(timeout_s)
        until = time.monotonic() + timeout_s
        while True:
            events = _all_events(lanes)
            left = until - time.monotonic()
            if events or left <= 0 or self._closed:
                return events
            time.sleep(min(left, _TURN_S))

    def close(self) -> None:
        """End everything that runs; no process stays. May be called twice."""
        if not self._closed:
            self._closed = True
            for lane in self._lanes.values():
                lane.close()
            self._supply.close()
            if self._hub is not None:
                self._hub.close(grace_s=0.0)
            shutil.rmtree(self._keys, ignore_errors=True)

    def __enter__(self) -> Self:
        """The engine itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    # --- what people and tests may see -----------------------------------------------------------

    @property
    def nodes(self) -> Sequence[NodeSeen]:
        """The live nodes of the cluster as they were seen last, at most a second ago or so."""
        return self._supply.nodes

    @property
    def provider(self) -> int:
        """Process id of the process that speaks with Ray."""
        return self._supply.pid

    def workers(self) -> list[WorkerView]:
        """Workers that are or were here lately."""
        return self._open_hub().workers()

    # --- inside ----------------------------------------------------------------------------------

    def _open_hub(self) -> Hub:
        if self._closed or self._hub is None:
            raise WorkerError("the engine is closed")
        return self._hub

    def _wanted(self) -> float:
        """Slots that are of use now."""
        most = math.inf if self._settings.slots is None else float(self._settings.slots)
        if not self._foretold or self._hub is None:
            return most
        return min(most, self._hub.fitting.demand())


def _all_events(lanes: Iterable[Lane]) -> list[EngineEvent]:
    return [event for lane in lanes for event in lane.events(0.0)]
