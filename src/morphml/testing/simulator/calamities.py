"""What goes wrong, planned by chance on the timeline; the same for every policy of a seed."""

from __future__ import annotations

from morphml.seeds import generator
from morphml.testing.simulator.cluster import Cluster, Node
from morphml.testing.simulator.scenario import Scenario, WorkerKind
from morphml.testing.simulator.timeline import Timeline

_MINUTE_S = 60.0


class Calamities:
    """Lets machines join, die, be cut off and be taken away.

    Each machine has chances of its own, so what befalls it depends on the seed alone.

    Args:
        scenario: how often what goes wrong.
        seed: of all chance.
        timeline: plans what happens.
        cluster: the machines.
    """

    def __init__(self, scenario: Scenario, seed: int, timeline: Timeline, cluster: Cluster) -> None:
        self._kinds = scenario.workers
        self._troubles = scenario.troubles
        self._seed = seed
        self._timeline = timeline
        self._cluster = cluster
        self._jumps = 0
        self._waves = 0
        #: Kinds of the workers that are to join, by the number of the event.
        self._coming: list[WorkerKind] = []

    def begin(self) -> None:
        """All workers join, and their fates are planned."""
        for kind in self._kinds:
            for _ in range(kind.count):
                self._join(kind)
        if self._troubles.wave_every_s > 0:
            self._timeline.after(self._troubles.wave_every_s, self._wave, 0)
        if self._troubles.clock_skew_s > 0:
            self._timeline.after(_MINUTE_S, self._jump, 0)

    def _join(self, kind: WorkerKind) -> None:
        number = len(self._cluster.nodes)
        rng = generator(self._seed, number, "machine")
        broken = bool(rng.random() < self._troubles.broken)
        self._cluster.join(kind, broken=broken)
        if self._troubles.churn_per_min > 0:
            life = rng.exponential(_MINUTE_S / self._troubles.churn_per_min)
            self._timeline.after(float(life), self._die, number)
        if self._troubles.partitions_per_min > 0:
            until = rng.exponential(_MINUTE_S / self._troubles.partitions_per_min)
            self._timeline.after(float(until), self._cut, number)

    def _come(self, number: int) -> None:
        self._join(self._coming[number])

    def _replace(self, node: Node, seconds: float) -> None:
        self._coming.append(node.kind)
        self._timeline.after(seconds, self._come, len(self._coming) - 1)

    def _die(self, number: int) -> None:
        node = self._cluster.nodes[number]
        if not node.alive:
            return
        rng = generator(self._seed, number, "death")
        silently = bool(rng.random() < self._troubles.silent_deaths)
        self._cluster.kill(node, silently=silently)
        self._replace(node, float(rng.exponential(self._troubles.replaced_s)))

    def _cut(self, number: int) -> None:
        node = self._cluster.nodes[number]
        if not node.alive:
            return
        rng = generator(self._seed, int(self._timeline.monotonic() * 1e6), f"cut/{number}")
        length = float(rng.exponential(self._troubles.partition_s))
        self._cluster.cut(node, silently=bool(rng.random() < self._troubles.silent_deaths))
        self._timeline.after(length, self._heal, number)
        until = float(rng.exponential(_MINUTE_S / self._troubles.partitions_per_min))
        self._timeline.after(length + until, self._cut, number)

    def _heal(self, number: int) -> None:
        self._cluster.heal(self._cluster.nodes[number])

    def _wave(self, _: int) -> None:
        """A share of the machines is told to leave; others come when the wave is over."""
        self._waves += 1
        rng = generator(self._seed, self._waves, "wave")
        alive = [node for node in self._cluster.nodes if node.alive and not node.leaving]
        count = round(self._troubles.wave_share * len(alive))
        for place in sorted(rng.permutation(len(alive))[:count].tolist()):
            node = alive[place]
            self._cluster.warn(node)
            self._timeline.after(self._troubles.notice_s, self._preempt, node.number)
        self._timeline.after(self._troubles.wave_every_s, self._wave, 0)

    def _preempt(self, number: int) -> None:
        node = self._cluster.nodes[number]
        if not node.alive:
            return
        rng = generator(self._seed, number, "preempted")
        self._cluster.preempt(node)
        self._replace(node, float(rng.exponential(self._troubles.replaced_s)))

    def _jump(self, _: int) -> None:
        """A time server sets the master's wall clock."""
        self._jumps += 1
        rng = generator(self._seed, self._jumps, "clock")
        self._timeline.skew_s = float(rng.normal()) * self._troubles.clock_skew_s
        self._timeline.after(_MINUTE_S, self._jump, 0)
