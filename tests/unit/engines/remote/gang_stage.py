"""A hub with workers of one slot each, for stories of attempts that run at several at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from morphml.engines.port import (
    Assignment,
    EngineEvent,
    Finished,
    Order,
    Outcome,
    Started,
)
from morphml.engines.remote.hub.attempt import Attempt, Moment
from morphml.engines.remote.hub.book import Book
from morphml.engines.remote.hub.commands import (
    AskRecords,
    SendAcknowledged,
    SendOrder,
    SendTask,
    SendVerdict,
)
from morphml.engines.remote.hub.settings import HubSettings
from morphml.engines.remote.messages import AttemptName, Beat, Registration
from morphml.ids import AttemptToken, ExperimentId

EXPERIMENT = ExperimentId("e1")
TOKEN = AttemptToken("ab" * 16)
PEERS = ("ipv4:127.0.0.1:4000", "ipv4:10.0.0.7:4001", "ipv4:10.0.0.8:4002", "ipv4:10.0.0.9:4003")


class Stage:
    """A hub, its workers of one slot each, and all that it said to them."""

    def __init__(self, workers: int = 4, gang: int = 4) -> None:
        self.book = Book(HubSettings())
        self.time = 1000.0
        self.gang = gang
        self.tasks: list[Attempt] = []
        self.orders: list[tuple[str, Order]] = []
        self.killed: list[AttemptToken] = []
        self.confirmed: Counter[AttemptToken] = Counter()
        self.asked: list[AttemptName] = []
        self.events: list[EngineEvent] = []
        self.book.tick(self.now)
        self.book.drivers.attach(EXPERIMENT)
        for index in range(workers):
            self.come(index)

    @property
    def now(self) -> Moment:
        return Moment(self.time, self.time)

    def come(self, index: int, has: Sequence[AttemptName] = ()) -> None:
        registration = Registration(
            worker=f"w{index}",
            name=f"box{index}",
            morphml_version="1",
            python_version="3",
            slots=1,
            attempts=tuple(has),
        )
        self.book.workers.announce(registration, PEERS[index], self.now)
        self.look()

    def submit(self, token: AttemptToken = TOKEN, workers: int | None = None) -> None:
        assignment = Assignment(
            token=token,
            experiment=EXPERIMENT,
            number=0,
            vector=(),
            seed=0,
            requirements={"workers": workers or self.gang},
        )
        self.book.drivers.submit([assignment], self.now)
        self.look()

    def look(self) -> None:
        """Take in what the hub wants done, and what it tells."""
        for command in self.book.take().commands:
            match command:
                case SendTask():
                    self.tasks.append(command.attempt)
                case SendOrder():
                    self.orders.append((command.worker, command.order))
                case SendVerdict(keep=False):
                    self.killed.append(command.token)
                case SendAcknowledged():
                    self.confirmed[command.token] += 1
                case AskRecords():
                    self.asked += command.names
                case _:
                    pass
        self.events += self.book.drivers.collect(EXPERIMENT)

    def member(self, rank: int) -> Attempt:
        """The member of that rank, of the last gang that was sent."""
        return self.tasks[len(self.tasks) - self.gang + rank]

    def start(self, *ranks: int) -> None:
        for rank in ranks or range(self.gang):
            member = self.member(rank)
            self.book.workers.accepted(member.worker, [member.token])
            slot = f"box{member.worker[1:]}/slot-0"
            event = Started(token=member.token, worker=slot, at=self.time)
            self.book.workers.event(member.worker, event)
        self.look()

    def end(self, rank: int, outcome: Outcome) -> None:
        member = self.member(rank)
        finished = Finished(
            token=member.token,
            outcome=outcome,
            worker=f"box{member.worker[1:]}/slot-0",
            started_at=self.time,
            duration_s=1.0,
        )
        self.book.workers.result(member.worker, member.name, finished, self.now)
        self.look()

    def beat(self, *ranks: int) -> None:
        """The workers of these members say that they have them."""
        for rank in ranks:
            member = self.member(rank)
            self.book.workers.heard(member.worker, self.now)
            self.book.workers.beat(member.worker, Beat(index=1, running=(member.token,)), self.now)

    def lose(self, rank: int) -> None:
        """The worker of that member is silent for good; the others are heard."""
        worker = self.member(rank).worker
        self.book.workers.broke(worker, self.now)
        here = [r for r in range(self.gang) if self.member(r).token in self.book.ledger.attempts]
        for _ in range(40):
            self.time += 0.25
            self.beat(*(r for r in here if r != rank))
            self.book.tick(self.now)
        self.look()

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            self.time += 0.25
            for worker in list(self.book.ledger.roster.members):
                self.book.workers.heard(worker, self.now)
            self.book.tick(self.now)
        self.look()

    @property
    def ends(self) -> list[Finished]:
        return [event for event in self.events if isinstance(event, Finished)]

    @property
    def free(self) -> int:
        return self.book.ledger.scheduler.fleet.free()

    def check_nothing_left(self) -> None:
        """The store acknowledges the end, and nothing of the gang is left."""
        self.book.drivers.acknowledge([TOKEN])
        self.pass_time(1.0)
        ledger = self.book.ledger
        assert not ledger.attempts
        assert not list(ledger.gangs)
        assert not [m.expected for m in ledger.roster.members.values() if m.expected]
        assert ledger.scheduler.stakes.of(EXPERIMENT).used == 0
        live = sum(member.live for member in ledger.roster.members.values())
        assert self.free == live
