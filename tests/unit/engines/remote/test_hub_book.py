"""The decisions of a hub, drawn at random against workers and drivers that keep their own lists."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from morphml.engines.port import (
    Assignment,
    Failed,
    Finished,
    Order,
    Outcome,
    Returned,
    Started,
    Succeeded,
)
from morphml.engines.remote.hub.attempt import AT_WORKER, AttemptState, Moment
from morphml.engines.remote.hub.book import Book
from morphml.engines.remote.hub.commands import (
    AskRecords,
    CloseStream,
    SendAcknowledged,
    SendTask,
    SendVerdict,
)
from morphml.engines.remote.hub.settings import HubSettings
from morphml.engines.remote.messages import AttemptName, Beat, Registration
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.failures import FailureKind
from morphml.scheduling.policies import POLICIES
from morphml.scheduling.worker import WorkerState

RULE = HubSettings()
EXPERIMENTS = (ExperimentId("e1"), ExperimentId("e2"))


def registered(worker: str, model: Model) -> Registration:
    return Registration(
        worker=worker,
        name=f"box-{worker}",
        morphml_version="1",
        python_version="3",
        slots=model.slots,
        attempts=tuple(model.has.values()),
        results=tuple(model.unacknowledged.values()),
    )


@dataclass
class Model:
    """A worker as it sees itself."""

    slots: int
    #: It has a stream that the hub takes for its own.
    connected: bool = True
    #: Tasks on their way to it, by the stream that stands.
    inbox: list[AttemptName] = field(default_factory=list)
    has: dict[AttemptToken, AttemptName] = field(default_factory=dict)
    started: set[AttemptToken] = field(default_factory=set)
    unacknowledged: dict[AttemptToken, AttemptName] = field(default_factory=dict)


def outcome_of(name: AttemptName) -> Outcome:
    """One in three works; the others fail in all ways, so that workers are shut off and tried."""
    chance = zlib.crc32(name.token.encode())
    if chance % 3 == 0:
        return Succeeded(metrics={"n": float(name.number)})
    return Failed(
        kind=tuple(FailureKind)[chance // 3 % len(FailureKind)],
        error_type="Error",
        message="",
        traceback="" if chance % 2 else "Traceback ...",
        digest=str(chance % 5),
    )


class BookMachine(RuleBasedStateMachine):
    """Every attempt ends once for whoever drives it, and no slot is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book(RULE)
        self.time = 1000.0
        self.models: dict[str, Model] = {}
        self.submitted: dict[AttemptToken, AttemptName] = {}
        self.sent: Counter[AttemptToken] = Counter()
        #: Ends that each driver got and has not acknowledged, and all that were acknowledged.
        self.ends: dict[AttemptToken, Finished] = {}
        self.acknowledged: set[AttemptToken] = set()
        self.killed: set[AttemptToken] = set()
        self.lanes: dict[ExperimentId, int] = {}
        self.book.tick(self.now)

    @initialize(policy=st.sampled_from(sorted(POLICIES)))
    def choose_policy(self, policy: str) -> None:
        self.book = Book(replace(RULE, policy=policy))
        self.book.tick(self.now)

    @property
    def now(self) -> Moment:
        return Moment(self.time, self.time + 1e9)

    def settle(self) -> None:
        """Do what the book wants done."""
        while commands := self.book.take().commands:
            for command in commands:
                model = self.models.get(command.worker)
                match command:
                    case SendTask():
                        self.sent[command.attempt.token] += 1
                        assert model is not None
                        assert model.connected
                        model.inbox.append(command.attempt.name)
                    case SendAcknowledged() if model is not None and model.connected:
                        model.unacknowledged.pop(command.token, None)
                    case SendVerdict(keep=False) if model is not None and model.connected:
                        model.has.pop(command.token, None)
                        model.started.discard(command.token)
                    case CloseStream() if model is not None and model.connected:
                        self.lose_stream(model)
                    case AskRecords():
                        # The store knows every token that is not acknowledged as this master's.
                        tokens = {name.token for name in command.names}
                        stored = tokens & self.acknowledged
                        self.book.workers.resolve(
                            command.worker, command.names, stored, set(), self.now
                        )
                    case _:
                        pass

    def lose_stream(self, model: Model) -> None:
        model.connected = False
        model.inbox.clear()

    # --- workers ---------------------------------------------------------------------------------

    @rule(worker=st.sampled_from("abc"), slots=st.integers(1, 3))
    def join_or_come_back(self, worker: str, slots: int) -> None:
        model = self.models.setdefault(worker, Model(slots=slots))
        model.connected = True
        model.inbox.clear()
        registration = registered(worker, model)
        self.book.workers.announce(registration, "peer", self.now)
        for name in list(model.unacknowledged.values()):
            self.book.workers.result(worker, name, self.end(name), self.now)
        self.settle()

    def connected(self) -> list[str]:
        return sorted(worker for worker, model in self.models.items() if model.connected)

    @precondition(lambda self: self.connected())
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(self.connected()))
        model = self.models[worker]
        taken, model.inbox = model.inbox, []
        model.has |= {name.token: name for name in taken}
        self.book.workers.heard(worker, self.now)
        self.book.workers.accepted(worker, [name.token for name in taken])
        self.settle()

    @precondition(lambda self: any(m.has for m in self.models.values() if m.connected))
    @rule(data=st.data(), how=st.sampled_from(["start", "finish", "finish", "return", "forget"]))
    def work(self, data: st.DataObject, how: str) -> None:
        worker = data.draw(st.sampled_from([w for w in self.connected() if self.models[w].has]))
        model = self.models[worker]
        token = data.draw(st.sampled_from(sorted(model.has)))
        name = model.has[token]
        self.book.workers.heard(worker, self.now)
        if how == "start":
            model.started.add(token)
            event = Started(token=token, worker=f"box-{worker}/slot-1", at=self.time)
            self.book.workers.event(worker, event)
        elif how == "finish":
            del model.has[token]
            model.unacknowledged[token] = name
            self.book.workers.result(worker, name, self.end(name), self.now)
        elif how == "return" and token not in model.started:
            del model.has[token]
            self.book.workers.returned(worker, [token], self.now)
        elif how == "forget":
            del model.has[token]
        self.settle()

    @precondition(lambda self: self.connected())
    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(self.connected()))
        model = self.models[worker]
        beat = Beat(
            index=1,
            running=tuple(model.started & model.has.keys()),
            queued=tuple(model.has.keys() - model.started),
            unacknowledged=tuple(model.unacknowledged),
        )
        self.book.workers.heard(worker, self.now)
        self.book.workers.beat(worker, beat, self.now)
        self.settle()

    @precondition(lambda self: self.connected())
    @rule(data=st.data(), how=st.sampled_from(["break", "leave", "drain", "die"]))
    def go(self, data: st.DataObject, how: str) -> None:
        worker = data.draw(st.sampled_from(self.connected()))
        if how == "drain":
            self.book.workers.drains(worker)
        else:
            self.lose_stream(self.models[worker])
            if how == "leave":
                self.book.workers.left(worker, self.now)
            self.book.workers.broke(worker, self.now)
            if how != "break":
                del self.models[worker]
        self.settle()

    @precondition(lambda self: any(m.has for m in self.models.values() if m.connected))
    @rule(data=st.data(), collects=st.booleans(), finishes=st.booleans())
    def vanish_until_it_is_lost(self, data: st.DataObject, collects: bool, finishes: bool) -> None:
        worker = data.draw(st.sampled_from([w for w in self.connected() if self.models[w].has]))
        model = self.models[worker]
        self.lose_stream(model)
        self.book.workers.broke(worker, self.now)
        self.settle()
        self.wait(4.0)
        if collects:
            for experiment in self.lanes:
                self.take_events(experiment)
        if finishes:
            token, name = model.has.popitem()
            model.unacknowledged[token] = name
        self.join_or_come_back(worker, model.slots)

    def end(self, name: AttemptName) -> Finished:
        return Finished(
            token=name.token,
            outcome=outcome_of(name),
            worker="slot",
            started_at=self.time,
            duration_s=0.01,
        )

    # --- drivers ---------------------------------------------------------------------------------

    @rule(experiment=st.sampled_from(EXPERIMENTS), slots=st.integers(1, 5))
    def attach(self, experiment: ExperimentId, slots: int) -> None:
        self.lanes[experiment] = self.book.drivers.attach(experiment)
        self.book.wishes.share(experiment, slots)
        self.ends = {t: e for t, e in self.ends.items() if self.submitted[t].owner != experiment}
        self.settle()

    @precondition(lambda self: self.lanes)
    @rule(data=st.data(), avoid=st.sampled_from([(), ("box-a",)]), hold=st.booleans())
    def submit(self, data: st.DataObject, avoid: tuple[str, ...], hold: bool) -> None:
        experiment = data.draw(st.sampled_from(sorted(self.lanes)))
        number = len(self.submitted)
        token = AttemptToken(f"{number:032x}")
        assignment = Assignment(
            token=token, experiment=experiment, number=number, vector=(), seed=0, avoid=avoid
        )
        self.submitted[token] = AttemptName(token=token, owner=experiment, number=number)
        fresh = self.book.drivers.submit([assignment, assignment], self.now, hold=hold)
        assert fresh == [assignment]
        assert self.book.drivers.submit([assignment], self.now) == []
        if hold:
            self.book.drivers.refuse(token, Returned(), self.now)
        self.settle()

    @precondition(lambda self: self.lanes)
    @rule(data=st.data())
    def collect(self, data: st.DataObject) -> None:
        experiment = data.draw(st.sampled_from(sorted(self.lanes)))
        self.take_events(experiment, data.draw(st.sampled_from([1, 2, math.inf])))

    def take_events(self, experiment: ExperimentId, most: float = math.inf) -> None:
        events = self.book.drivers.collect(experiment, most)
        ends = [isinstance(event, Finished) for event in events]
        assert sum(ends) <= most
        assert sum(ends) < most or ends[-1], "what comes after the last end waits with the others"
        for event in events:
            if isinstance(event, Finished):
                assert event.token not in self.ends, "told twice"
                assert event.token not in self.acknowledged | self.killed
                assert self.submitted[event.token].owner == experiment
                self.ends[event.token] = event

    @precondition(lambda self: self.ends)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(sorted(self.ends)))
        del self.ends[token]
        self.acknowledged.add(token)
        self.book.drivers.acknowledge([token])
        self.settle()

    @precondition(lambda self: self.submitted)
    @rule(data=st.data(), order=st.sampled_from([Order.CANCEL, Order.CONTINUE, None]))
    def order_or_kill(self, data: st.DataObject, order: Order | None) -> None:
        token = data.draw(st.sampled_from(sorted(self.submitted)))
        if order is None:
            self.book.drivers.kill([token], self.now)
            self.killed.add(token)
            self.ends.pop(token, None)
        else:
            self.book.drivers.order(token, order, self.now)
        self.settle()

    @precondition(lambda self: self.lanes)
    @rule(data=st.data())
    def detach(self, data: st.DataObject) -> None:
        experiment = data.draw(st.sampled_from(sorted(self.lanes)))
        self.book.drivers.detach(experiment, self.lanes.pop(experiment), self.now)
        self.settle()

    @rule(seconds=st.sampled_from([0.3, 0.9, 2.0, 3.5]))
    def wait(self, seconds: float) -> None:
        end = self.time + seconds
        while self.time < end:  # small steps: one large one would be forgiven
            self.time += 0.25
            self.book.tick(self.now)
            self.settle()

    # --- what always holds -----------------------------------------------------------------------

    @invariant()
    def no_task_goes_out_twice(self) -> None:
        assert all(count == 1 for count in self.sent.values())

    @invariant()
    def slots_and_attempts_agree(self) -> None:
        ledger = self.book.ledger
        for worker, member in ledger.roster.members.items():
            at_it = {
                a.token
                for a in ledger.attempts.values()
                if a.worker == worker and a.state in AT_WORKER
            }
            seat = ledger.scheduler.fleet.get(worker)
            held = set() if seat is None else set(seat.holdings.held)
            if member.live:
                assert at_it <= set(member.expected)
                assert held == set(member.worker.attempts)
            else:
                assert at_it == set()
                assert held == set()
            if member.worker.state in (WorkerState.IDLE, WorkerState.BUSY):
                assert member.worker.free_slots == max(0, member.worker.slots - len(held))

    @invariant()
    def groups_count_their_own(self) -> None:
        ledger = self.book.ledger
        for experiment, group in ledger.groups.items():
            own = [a for a in ledger.attempts.values() if a.name.owner == experiment]
            assert group.tokens == {a.token for a in own}
            used = ledger.scheduler.stakes.of(experiment).used
            assert used == sum(a.state in AT_WORKER for a in own)
        assert all(a.name.owner in ledger.groups for a in ledger.attempts.values())

    @invariant()
    def nothing_waits_while_a_slot_is_free(self) -> None:
        ledger = self.book.ledger
        waiting = [
            a for a in ledger.attempts.values() if a.state is AttemptState.WAITING and not a.avoid
        ]
        assert not waiting or ledger.scheduler.fleet.free() == 0

    def teardown(self) -> None:
        """When all workers are gone and all drivers listen, every attempt has ended for its own."""
        for worker in list(self.models):
            self.lose_stream(self.models[worker])
            self.book.workers.broke(worker, self.now)
            del self.models[worker]
        self.settle()
        self.wait(20.0)
        for experiment in EXPERIMENTS:
            self.attach(experiment, 1)
            for event in self.book.drivers.collect(experiment):
                if isinstance(event, Finished):
                    self.ends[event.token] = event
        waiting = {
            t for t, a in self.book.ledger.attempts.items() if a.state is AttemptState.WAITING
        }
        expected = self.submitted.keys() - self.acknowledged - self.killed - waiting
        assert self.ends.keys() == expected


BookMachine.TestCase.settings = settings(stateful_step_count=40)
TestBookMachine = BookMachine.TestCase
