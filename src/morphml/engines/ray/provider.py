"""The process that speaks with Ray: ``python -m morphml.engines.ray.provider FD``.

It lives apart from the master, since Ray ends the processes of a driver that loses its cluster, and
a driver that fetches results unpickles them. It keeps a worker on each node, tells what it sees,
and ends with its master, and with it all that it has started.
"""

from __future__ import annotations

import secrets
import signal
import socket
import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any

from morphml.clock import Clock, SystemClock
from morphml.engines.ray.cluster import Cluster, Hosted
from morphml.engines.ray.demand import Demand
from morphml.engines.ray.labels import could_offer, offers_of
from morphml.engines.ray.orders import (
    Duty,
    Line,
    Summons,
    posting_of,
    posting_to_json,
    settings_of,
)
from morphml.engines.ray.pauses import Pauses, Settling
from morphml.engines.ray.planning import Node, Posting, plan
from morphml.engines.ray.settings import RaySettings

#: Seconds that what runs gets on a node that is drained without a deadline.
_LONGEST_DRAIN_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A worker that was asked for."""

    name: str
    posting: Posting
    hosted: Hosted
    #: Monotonic seconds of the request.
    since: float


class Provider:
    """Keeps workers on the nodes of a cluster.

    Args:
        line: to the engine.
        cluster: to be used.
        settings: how.
        clock: monotonic time.
    """

    def __init__(self, line: Line, cluster: Cluster, settings: RaySettings, clock: Clock) -> None:
        self._line = line
        self._cluster = cluster
        self._settings = settings
        self._clock = clock
        self._summons: Summons | None = None
        self._posted: list[Posted] = []
        self._pauses = Pauses(settings.backoff_s)
        self._settling = Settling()
        self._wanted = float("inf") if settings.slots is None else float(settings.slots)
        self._demand = Demand(lambda: cluster.ask_for(settings.shape))
        #: Workers that leave by themselves: not needed, or their node goes.
        self._going: set[str] = set()
        #: Whether the engine said that workers stay for other masters; None: it said nothing.
        self._left_behind: bool | None = None

    def run(self) -> None:
        """Look at the cluster twice a second until the engine has gone."""
        next_look = 0.0
        while (news := self._line.hear(max(0.0, next_look - self._clock.monotonic()))) is not None:
            for message in news:
                self._obey(message)
            if self._clock.monotonic() >= next_look:
                self._look()
                next_look = self._clock.monotonic() + self._settings.look_every_s

    def close(self) -> None:
        """Kill all workers, unless other masters may take them over."""
        stays = self._left_behind
        if stays is None:
            stays = self._summons is not None and self._summons.adoptable
        if not stays:
            for each in self._posted:
                each.hosted.kill()

    def _obey(self, message: dict[str, Any]) -> None:
        if "summons" in message:
            self._summons = Summons.of(message["summons"])
        if "wanted" in message:
            self._wanted = float(message["wanted"])
            self._going.update(message["spare"])
        if "bye" in message:
            self._left_behind = bool(message["bye"])
        for fields in message.get("posted", ()):
            self._take_over(*posting_of(fields))

    def _take_over(self, name: str, posting: Posting) -> None:
        """Look after a worker that the provider before has started."""
        hosted = self._cluster.find(name)
        if hosted is None:
            self._line.say(orphan=name, why="Ray does not know it any more")
            return
        now = self._clock.monotonic()
        self._posted.append(Posted(name=name, posting=posting, hosted=hosted, since=now))

    def _look(self) -> None:
        nodes, now = self._cluster.nodes(), self._clock.monotonic()
        self._drop_ended({node.id for node in nodes}, now)
        self._leave_nodes(nodes)
        if not self._settling.knows(nodes):
            self._demand.rest(now)
        if self._summons is not None:
            ready = [
                node
                for node in nodes
                if self._settling.over(node, now) and self._pauses.over(node.id, now)
            ]
            posted = [each.posting for each in self._posted]
            known = {node.id: node for node in nodes}
            for posting in plan(ready, posted, self._settings.shape, self._wanted):
                self._post(known[posting.node], posting, self._summons, now)
            there = sum(each.posting.slots for each in self._posted)
            self._demand.show(self._wanted - there, now)
        self._line.say(
            nodes=[[node.id, node.name, dict(node.total)] for node in nodes],
            workers=[posting_to_json(each.name, each.posting) for each in self._posted],
        )

    def _leave_nodes(self, nodes: list[Node]) -> None:
        """Have the workers of nodes that Ray drains end what they run, as far as there is time."""
        leaving = {node.id: node.leaves_in_s for node in nodes if node.leaves_in_s is not None}
        for each in self._posted:
            left = leaving.get(each.posting.node)
            if left is not None and each.name not in self._going:
                self._going.add(each.name)
                self._line.say(leaving=each.name, within=min(left, _LONGEST_DRAIN_S))

    def _post(self, node: Node, posting: Posting, summons: Summons, now: float) -> None:
        name = f"ray-{node.name}-{secrets.token_hex(3)}"
        duty = Duty(
            summons=summons,
            name=name,
            slots=posting.slots,
            gpus=posting.gpu > 0,
            offers=offers_of(node, posting),
        )
        hosted = self._cluster.start(posting, name, duty.text())
        self._posted.append(Posted(name=name, posting=posting, hosted=hosted, since=now))

    def _drop_ended(self, live: set[str], now: float) -> None:
        """Forget workers that ended, and those whose node did: their orphans are told of."""
        kept = []
        for each in self._posted:
            node = each.posting.node
            if node not in live:
                self._line.say(orphan=each.name, why=f"its node {node[:8]} has left the cluster")
                each.hosted.kill()
            elif each.name in self._going and each.hosted.ended:
                self._going.discard(each.name)
            elif each.hosted.ended or self._is_stuck(each, now):
                pause_s = self._pauses.failed(node, now - each.since, now)
                story = f"{each.hosted.story}; the next in {pause_s:g} s"
                self._line.say(ended=each.name, why=story)
                each.hosted.kill()
            else:
                kept.append(each)
        self._posted = kept

    def _is_stuck(self, posted: Posted, now: float) -> bool:
        """Whether Ray has not begun with it for long: somebody else took what was free."""
        late = now - posted.since > self._settings.start_within_s
        return late and posted.hosted.pending


def main() -> None:
    """Serve the engine at the other end of the socket whose number is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the engine, which closes the line
    signal.signal(signal.SIGTERM, _leave)
    line = Line(socket.socket(fileno=int(sys.argv[1])))
    first = line.hear(60.0)
    if not first:
        return
    settings = settings_of(first[0]["settings"])
    try:
        cluster = Cluster(settings)
    except Exception as error:  # noqa: BLE001  # Ray's own tree; told to whoever asked
        line.say(failed=f"{type(error).__name__}: {error}")
        return
    line.say(
        connected=cluster.here,
        own=cluster.own,
        grows=cluster.grows,
        offers=[could_offer(node) for node in cluster.nodes()],
    )
    provider = Provider(line, cluster, settings, SystemClock())
    try:
        provider.run()
        provider.close()  # else the next provider takes the workers over
    finally:
        cluster.close()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
