"""The machines as they really are: what runs where, what dies, and what they say to the master.

The master never looks in here. It sends attempts and hears messages, as over a network; what is
said by or to a machine that is cut off is kept or lost as in the real protocol.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from morphml.scheduling.failures import FailureKind
from morphml.seeds import generator
from morphml.testing.simulator.scenario import Scenario, WorkerKind
from morphml.testing.simulator.timeline import Timeline
from morphml.testing.simulator.work import Work

#: Share of its time after which an attempt fails that fails by its machine's fault.
FAILS_AFTER = 0.1
#: Seconds after which every attempt on a broken machine fails.
BROKEN_FAILS_S = 1.0


@dataclass(slots=True, eq=False)
class Flight:
    """One attempt."""

    number: int
    task: int
    #: Numbers of the nodes that it runs on: one, or a gang.
    nodes: tuple[int, ...] = ()
    #: When it was sent, when it began to run and when it ends, in seconds; below 0 before.
    sent_at: float = -1.0
    started_at: float = -1.0
    ended_at: float = -1.0
    #: How it failed; None where it succeeded.
    failure: FailureKind | None = None
    #: It ended, was killed, or died with its machine.
    over: bool = False
    #: Its result was stored.
    stored: bool = False


@dataclass(slots=True, eq=False)
class Node:
    """One machine, from when it starts until it dies. The next one in its place is another node."""

    number: int
    kind: WorkerKind
    alive: bool = True
    #: Whether messages pass.
    connected: bool = True
    #: It was told that it will be taken away.
    leaving: bool = False
    broken: bool = False
    #: Flights that run, and those that wait for a slot here.
    running: set[int] = field(default_factory=set)
    waiting: deque[int] = field(default_factory=deque)
    #: Flights that ended and whose result the master has not acknowledged.
    outbox: list[int] = field(default_factory=list)
    #: Data sets that lie here.
    data: set[str] = field(default_factory=set)

    @property
    def flights(self) -> tuple[int, ...]:
        """All that it would name when it announces itself."""
        return (*sorted(self.running), *self.waiting, *self.outbox)


class Master(Protocol):
    """What hears the machines."""

    def joined(self, node: Node) -> None:
        """A machine announced itself for the first time."""
        ...

    def came_back(self, node: Node) -> None:
        """A machine announced itself after a break, with all that it has."""
        ...

    def broke(self, node: Node) -> None:
        """A connection broke."""
        ...

    def fell_silent(self, node: Node) -> None:
        """Beats cease to come from now on; nobody said so."""
        ...

    def draining(self, node: Node) -> None:
        """A machine said that it will leave soon."""
        ...

    def left(self, node: Node) -> None:
        """A machine said goodbye; what ran on it was preempted."""
        ...

    def started(self, flight: Flight) -> None:
        """An attempt began to run."""
        ...

    def ended(self, flight: Flight) -> None:
        """An attempt succeeded or failed."""
        ...


class Cluster:
    """All machines. ``listen`` comes before anything else.

    Args:
        scenario: what there is.
        work: what the tasks take.
        seed: of all chance.
        timeline: plans what happens.
    """

    def __init__(self, scenario: Scenario, work: Work, seed: int, timeline: Timeline) -> None:
        self._scenario = scenario
        self._work = work
        self._timeline = timeline
        self._seed = seed
        #: By task: two chances in [0, 1) of its first attempt.
        self._chances: list[list[float]] = (
            generator(seed, 0, "attempts").random((len(work.seconds), 2)).tolist()
        )
        #: Attempts of each task that began.
        self._begun: dict[int, int] = {}
        self._half_way_s = scenario.overhead_s / 2
        self._master: Master
        self.nodes: list[Node] = []
        self.flights: list[Flight] = []
        #: (seconds, kind of a machine, 1 where it came and -1 where it went), in order.
        self.changes: list[tuple[float, WorkerKind, int]] = []
        #: Attempts that ran: (begin, end, slots, flight), in the order of their ends.
        self.spans: list[tuple[float, float, int, Flight]] = []

    def listen(self, master: Master) -> None:
        """Say everything to ``master`` from now on."""
        self._master = master

    # --- machines --------------------------------------------------------------------------------

    def join(self, kind: WorkerKind, *, broken: bool = False) -> Node:
        """A machine starts and announces itself."""
        node = Node(number=len(self.nodes), kind=kind, broken=broken)
        self.nodes.append(node)
        self._count(node, 1)
        self._master.joined(node)
        return node

    def kill(self, node: Node, *, silently: bool = False) -> None:
        """A machine dies with all that is on it; ``silently`` breaks no connection."""
        if not node.alive:
            return
        was_connected = node.connected
        self._end(node)
        if was_connected:
            (self._master.fell_silent if silently else self._master.broke)(node)

    def warn(self, node: Node) -> None:
        """A machine hears that it will be taken away, and says so."""
        if node.alive and not node.leaving:
            node.leaving = True
            if node.connected:
                self._master.draining(node)

    def preempt(self, node: Node) -> None:
        """A machine is taken away; it says goodbye if it can."""
        if not node.alive:
            return
        was_connected = node.connected
        self._end(node)
        if was_connected:
            self._master.left(node)

    def cut(self, node: Node, *, silently: bool) -> None:
        """No message passes from now on; the machine computes on."""
        if node.alive and node.connected:
            node.connected = False
            (self._master.fell_silent if silently else self._master.broke)(node)

    def heal(self, node: Node) -> None:
        """Messages pass again; the machine announces itself and says what it kept."""
        if not node.alive or node.connected:
            return
        node.connected = True
        kept = list(node.outbox)
        self._master.came_back(node)
        if node.leaving:
            self._master.draining(node)
        for number in kept:
            if number in node.outbox:
                self._report(number)

    # --- what the master says --------------------------------------------------------------------

    def new_flight(self, task: int) -> Flight:
        """An attempt at a task that will be sent."""
        flight = Flight(number=len(self.flights), task=task)
        self.flights.append(flight)
        return flight

    def send(self, flight: Flight) -> None:
        """An attempt goes to its machines."""
        flight.sent_at = self._timeline.monotonic()
        if self._half_way_s:
            self._timeline.after(self._half_way_s, self._deliver, flight.number)
        else:
            self._deliver(flight.number)

    def drop(self, flight: Flight) -> None:
        """An attempt is refused: its machines kill and forget it."""
        for number in flight.nodes:
            if flight.number in (outbox := self.nodes[number].outbox):
                outbox.remove(flight.number)
        self._stop(flight)

    def acknowledge(self, flight: Flight) -> None:
        """A result is stored: its machine may forget it."""
        for number in flight.nodes:
            outbox = self.nodes[number].outbox
            if outbox and flight.number in outbox:
                outbox.remove(flight.number)

    # --- on the machines -------------------------------------------------------------------------

    def _deliver(self, number: int) -> None:
        flight = self.flights[number]
        nodes = [self.nodes[each] for each in flight.nodes]
        if flight.over or not all(node.alive and node.connected for node in nodes):
            return
        if all(len(node.running) < node.kind.slots for node in nodes):
            self._start(flight, nodes)
        else:
            nodes[0].waiting.append(number)

    def _start(self, flight: Flight, nodes: list[Node]) -> None:
        slowdown, luck = self._draw(flight.task)
        speed = min(node.kind.speed for node in nodes)
        seconds = self._work.seconds[flight.task] * slowdown / speed
        if any(node.broken for node in nodes):
            seconds, flight.failure = min(seconds, BROKEN_FAILS_S), FailureKind.INFRASTRUCTURE
        elif luck < self._scenario.troubles.failures:
            seconds, flight.failure = FAILS_AFTER * seconds, FailureKind.INFRASTRUCTURE
        data = self._work.data[flight.task]
        if data is not None and any(data not in node.data for node in nodes):
            seconds += self._scenario.fetch_s
        flight.started_at = self._timeline.monotonic()
        for node in nodes:
            node.running.add(flight.number)
            if data is not None:
                node.data.add(data)
        if all(node.connected for node in nodes):
            self._master.started(flight)
        self._timeline.after(seconds, self._finish, flight.number)

    def _finish(self, number: int) -> None:
        flight = self.flights[number]
        if flight.over:
            return
        first = self.nodes[flight.nodes[0]]
        self._leave_slots(flight)
        first.outbox.append(number)
        if self._half_way_s:
            self._timeline.after(self._half_way_s, self._report, number)
        else:
            self._report(number)

    def _report(self, number: int) -> None:
        flight = self.flights[number]
        first = self.nodes[flight.nodes[0]]
        if first.alive and first.connected and number in first.outbox:
            self._master.ended(flight)

    def _leave_slots(self, flight: Flight) -> None:
        """The attempt runs no more; what waits for its slots begins."""
        now = self._timeline.monotonic()
        flight.over, flight.ended_at = True, now
        self.spans.append((flight.started_at, now, len(flight.nodes), flight))
        for number in flight.nodes:
            node = self.nodes[number]
            node.running.discard(flight.number)
            while node.waiting and node.alive and len(node.running) < node.kind.slots:
                waiting = self.flights[node.waiting.popleft()]
                if not waiting.over:
                    self._start(waiting, [node])

    def _stop(self, flight: Flight) -> None:
        if flight.over:
            return
        if flight.started_at >= 0:
            self._leave_slots(flight)
            return
        flight.over = True
        for number in flight.nodes:
            waiting = self.nodes[number].waiting
            if flight.number in waiting:
                waiting.remove(flight.number)

    def _end(self, node: Node) -> None:
        node.alive = False
        self._count(node, -1)
        for number in (*node.running, *node.waiting):
            self._stop(self.flights[number])
        node.waiting.clear()
        node.outbox.clear()

    def _count(self, node: Node, sign: int) -> None:
        self.changes.append((self._timeline.monotonic(), node.kind, sign))

    def _draw(self, task: int) -> tuple[float, float]:
        """How many times as long the next attempt takes, and a chance in [0, 1) of its failure.

        Each attempt of a task has chances of its own, whatever ran before it.
        """
        attempt = self._begun.get(task, 0)
        self._begun[task] = attempt + 1
        if attempt:
            rng = generator(self._seed, task, f"attempt/{attempt}")
            slow, luck = rng.random(2).tolist()
        else:
            slow, luck = self._chances[task]
        troubles = self._scenario.troubles
        return (troubles.straggler_factor if slow < troubles.stragglers else 1.0), luck
