"""The simulated master's workers: the machine of each, and who may be sent anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from morphml.ids import AttemptToken
from morphml.scheduling.fleet import Fleet
from morphml.scheduling.resources import Requirements
from morphml.scheduling.worker import (
    AWAY,
    OPEN,
    Announced,
    Assigned,
    ClockTicked,
    Dismiss,
    Drain,
    GiveUpAttempts,
    Heard,
    Left,
    Released,
    StreamBroke,
    Suspend,
    Worker,
    WorkerEvent,
    WorkerRule,
    WorkerState,
    step,
)
from morphml.testing.simulator.cluster import Node
from morphml.testing.simulator.timeline import Timeline

#: Who does not beat is looked at when each of these may have run out, and a moment later.
_MOMENT_S = 1e-6


def name_of(node: int) -> str:
    """What the master calls a node."""
    return f"w{node}"


def node_of(worker: str) -> int:
    """The node of a worker."""
    return int(worker[1:])


class Crew:
    """All workers that the master knows. Times are monotonic seconds.

    A beat that comes in time changes nothing but when the worker was heard last, so none is
    simulated: silence is looked at from its beginning, at the times at which the rule can judge it.

    Args:
        fleet: kept up to date about who may be sent anything.
        timeline: plans the looks at silent workers.
        give_up: takes the attempts that were lost with a worker.
        rule: how long silence is borne.
        admits: whether a worker's breaker lets anything pass.
    """

    def __init__(
        self,
        fleet: Fleet,
        timeline: Timeline,
        give_up: Callable[[tuple[AttemptToken, ...]], None],
        rule: WorkerRule,
        admits: Callable[[str], bool],
    ) -> None:
        self._fleet = fleet
        self._timeline = timeline
        self._give_up = give_up
        self._rule = rule
        self._admits = admits
        self.workers: dict[int, Worker] = {}
        #: Nodes whose beats do not come.
        self._silent: set[int] = set()

    def announce(self, node: Node, tokens: tuple[AttemptToken, ...]) -> None:
        """A worker joins or comes back, and says what it has."""
        now = self._timeline.monotonic()
        self._silent.discard(node.number)
        known = self.workers.get(node.number)
        if known is None or known.state is WorkerState.GONE:
            self.workers[node.number] = Worker(id=name_of(node.number), heard_at=now)
        self._step(node.number, Announced(slots=node.kind.slots, attempts=tokens, at=now))

    def settle(self, node: Node, held: Mapping[AttemptToken, Requirements]) -> None:
        """Put it into the fleet, with what lies on it."""
        worker = self.workers[node.number]
        if worker.state not in AWAY:
            self._fleet.put(
                worker.id,
                name=worker.id,
                slots=node.kind.slots,
                capabilities=node.kind.capabilities,
                held=held,
            )
        self._follow(node.number)

    def broke(self, node: Node) -> None:
        """Its connection broke."""
        now = self._timeline.monotonic()
        self._silent.add(node.number)
        self._step(node.number, StreamBroke(at=now))
        self._follow(node.number)
        self._timeline.after(self._rule.announce_within_s + _MOMENT_S, self._look, node.number)

    def fell_silent(self, node: Node) -> None:
        """It beat a moment ago, for the last time."""
        self._silent.add(node.number)
        self._step(node.number, Heard(at=self._timeline.monotonic()))
        for seconds in (self._rule.suspect_after_s, self._rule.lost_after_s):
            self._timeline.after(seconds + _MOMENT_S, self._look, node.number)

    def drain(self, node: Node) -> None:
        """It takes nothing more."""
        self._step(node.number, Drain())
        self._follow(node.number)

    def left(self, node: Node) -> None:
        """It said goodbye."""
        if self.workers[node.number].state is not WorkerState.GONE:
            self._step(node.number, Left())
        self._follow(node.number)

    def assigned(self, node: int, token: AttemptToken) -> None:
        """An attempt was sent to it."""
        self._step(node, Assigned(token=token))

    def released(self, node: int, token: AttemptToken) -> None:
        """An attempt is no more on it."""
        worker = self.workers.get(node)
        if worker is not None and token in worker.attempts:
            self._step(node, Released(token=token))

    def _look(self, node: int) -> None:
        """Time went by since it was heard."""
        if node not in self._silent:
            return
        self._step(node, ClockTicked(at=self._timeline.monotonic()))
        self._follow(node)

    def _step(self, node: int, event: WorkerEvent) -> None:
        self.workers[node], commands = step(self.workers[node], event, self._rule)
        for command in commands:
            match command:
                case GiveUpAttempts():
                    self._give_up(command.tokens)
                case Suspend() | Dismiss():
                    self._follow(node)

    def follow(self, worker: str) -> None:
        """Its breaker changed."""
        if node_of(worker) in self.workers:
            self._follow(node_of(worker))

    def _follow(self, node: int) -> None:
        """The fleet knows the worker as its machine and its breaker say."""
        worker = self.workers[node]
        if worker.state in AWAY:
            self._fleet.remove(worker.id)
        else:
            is_open = worker.state in OPEN and self._admits(worker.id)
            self._fleet.open(worker.id, is_open)
