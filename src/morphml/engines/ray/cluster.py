"""A Ray cluster, as far as the provider needs it. The one module that imports Ray."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import time
from typing import Any

import ray as typed_ray
from ray._private import state as typed_state
from ray._private.ray_constants import DEBUG_AUTOSCALING_STATUS
from ray.experimental.internal_kv import _internal_kv_get
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from morphml.engines.devices import cores
from morphml.engines.ray.host import Host
from morphml.engines.ray.planning import Node, Posting, SlotShape
from morphml.engines.ray.settings import FAST_DETECTION, RaySettings

#: Ray's functions are half typed; here they are not typed at all.
ray: Any = typed_ray
state: Any = typed_state

#: Label of a node that somebody has made as one of a kind, such as the operator for Kubernetes.
_GROUP = "ray.io/node-group"
#: States of an actor, by Ray, from which it does not come back.
_OVER = ("DEAD", "")
#: How often a cluster of our own is tried to be started.
_STARTS = 3


class Cluster:
    """A connection to a cluster, or to one that was started for it.

    Args:
        settings: which cluster, and how many slots a local one must have room for.

    Raises:
        Exception: whatever Ray raises when there is none, or it does not let us in.
    """

    def __init__(self, settings: RaySettings) -> None:
        address = settings.address or os.environ.get("RAY_ADDRESS", "")
        #: Whether it was started here, for this machine alone.
        self.own = not address
        usual: dict[str, Any] = {
            "namespace": f"morphml-{settings.crew}",
            "logging_level": logging.ERROR,
            "log_to_driver": False,
            "include_dashboard": False,
        }
        if self.own:
            room = math.ceil((settings.slots or 0) * settings.shape.cpu) if settings.crowded else 0
            _start({"num_cpus": max(cores(), room), "_system_config": FAST_DETECTION, **usual})
        else:
            del usual["include_dashboard"]
            ray.init(address=address, **usual)

    @property
    def here(self) -> str:
        """Address of this machine as the nodes reach it; loopback for a cluster of our own."""
        return "127.0.0.1" if self.own else str(ray.util.get_node_ip_address())

    def nodes(self) -> list[Node]:
        """The live nodes."""
        free = state.available_resources_per_node()
        leaving = state.state.get_draining_nodes()
        return [
            Node(
                id=each["NodeID"],
                name=each["NodeManagerHostname"] or each["NodeManagerAddress"],
                total=each["Resources"],
                free=free.get(each["NodeID"], {}),
                labels=each.get("Labels", {}),
                leaves_in_s=_left(leaving.get(each["NodeID"])),
            )
            for each in ray.nodes()
            if each["Alive"]
        ]

    @property
    def grows(self) -> bool:
        """Whether somebody adds nodes by demand: they are of kinds then, not each of its own."""
        told = _internal_kv_get(DEBUG_AUTOSCALING_STATUS) if not self.own else None
        report = (json.loads(told) if told else {}).get("autoscaler_report") or {}
        kinds = (report.get("node_type_mapping") or {}).items()
        return any(kind != f"node_{node}" for node, kind in kinds) or any(
            _GROUP in each.get("Labels", {}) for each in ray.nodes()
        )

    def start(self, posting: Posting, name: str, text: str) -> Hosted:
        """Have Ray start a worker on the node and nowhere else.

        Args:
            posting: which node, and what the worker takes of it.
            name: for people.
            text: the ``Duty`` as JSON.
        """
        strategy = NodeAffinitySchedulingStrategy(node_id=posting.node, soft=False)
        actor = (
            ray.remote(Placed)
            .options(
                name=name,
                lifetime="detached",
                num_cpus=posting.cpu,
                num_gpus=posting.gpu,
                memory=posting.memory or None,
                max_restarts=0,
                max_task_retries=0,
                scheduling_strategy=strategy,
            )
            .remote()
        )
        return Hosted(actor, actor.serve.remote(text))

    def find(self, name: str) -> Hosted | None:
        """A worker that another provider of the same engine has started; None when it is gone."""
        try:
            return Hosted(ray.get_actor(name))
        except ValueError:
            return None

    def ask_for(self, shape: SlotShape) -> Wish:
        """Let Ray wait for room for a slot on any node, which is what autoscalers look at."""
        options: dict[str, Any] = {"num_cpus": shape.cpu, "max_retries": 0}
        if shape.gpu:
            options["num_gpus"] = shape.gpu
        if shape.memory:
            options["memory"] = shape.memory
        return Wish(ray.remote(_nothing).options(**options).remote())

    def close(self) -> None:
        """Disconnect; a cluster that was started here ends."""
        ray.shutdown()


def _left(deadline_ms: int | None) -> float | None:
    """Seconds until a deadline of Ray's; infinite for 0, which is none."""
    if deadline_ms is None:
        return None
    return max(0.0, deadline_ms / 1000 - time.time()) if deadline_ms else math.inf


def _start(options: dict[str, Any]) -> None:
    """Start a cluster; Ray gives it half a minute, which a busy machine may need again."""
    for _ in range(_STARTS - 1):
        try:
            ray.init(**options)
        except Exception as error:  # Ray's own, and of no type of its own
            if "timed out" not in str(error):
                raise
            ray.shutdown()
        else:
            return
    ray.init(**options)


class Wish:
    """Room for a slot that Ray waits for; it goes with the connection.

    Args:
        waiting: the reference to a task that does nothing.
    """

    def __init__(self, waiting: Any) -> None:  # noqa: ANN401  # as below
        self._waiting = waiting

    @property
    def granted(self) -> bool:
        """Whether there was room."""
        done, _ = ray.wait([self._waiting], timeout=0, fetch_local=False)
        return bool(done)

    def withdraw(self) -> None:
        """Wait no more."""
        with contextlib.suppress(Exception):  # Ray's own tree, and the cluster may be gone
            ray.cancel(self._waiting)


def _nothing() -> None:
    """What runs where there is room for a slot: the next look at the nodes finds it."""


class Placed:
    """The actor: Ray makes one in a process of its own, which ends with its work.

    It is detached: it outlives whoever asked for it, and ends when no master confirms it.
    """

    def serve(self, text: str) -> None:
        """Work as the ``Duty`` says that is given as JSON."""
        Host().serve(text)
        ray.actor.exit_actor()


class Hosted:
    """A worker as Ray knows it. What it returns is never looked at: that would unpickle it.

    Args:
        actor: Ray's handle.
        work: the reference to its only call; None where another process made it.
    """

    def __init__(self, actor: Any, work: Any = None) -> None:  # noqa: ANN401  # Ray has no types
        self._actor = actor
        self._work = work

    @property
    def ended(self) -> bool:
        """Whether its work is over, in whichever way."""
        if self._work is None:
            return self._known().get("State", "") in _OVER
        done, _ = ray.wait([self._work], timeout=0, fetch_local=False)
        return bool(done)

    @property
    def pending(self) -> bool:
        """Whether its process has not begun."""
        return self._known().get("State") in ("PENDING_CREATION", "DEPENDENCIES_UNREADY")

    @property
    def story(self) -> str:
        """What Ray says about its end, for people: a line of text."""
        known = self._known()
        return _wanted(str(known.get("DeathCause") or "")) or f"it is {known.get('State', 'gone')}"

    def kill(self) -> None:
        """End its process now; nothing happens when it has ended."""
        with contextlib.suppress(Exception):  # Ray's own tree, and the cluster may be gone
            ray.kill(self._actor, no_restart=True)

    def _known(self) -> dict[str, Any]:
        return state.actors(self._actor._actor_id.hex()) or {}


def _wanted(cause: str) -> str:
    """The part of a death cause that says most, at most 400 characters of it."""
    for name, part in (
        ("formatted_exception_string", slice(-400, None)),
        ("error_message", slice(0, 400)),
    ):
        for line in cause.splitlines():
            if name in line:
                return line.partition(":")[2].strip(' "').replace("\\n", " ")[part]
    return ""
