"""Task, lease, worker, breaker and policy together: whatever happens, in whatever order.

A small master in memory joins the machines as the real one does. Rules draw what happens; after
each the promises are checked against lists that trust no machine.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from morphml.ids import AttemptToken, ExperimentId, SessionId, TaskId
from morphml.scheduling import breaker, task, worker
from morphml.scheduling.failures import Failure, FailureKind
from morphml.scheduling.placing import PlacingRule
from morphml.scheduling.policies import POLICIES
from morphml.scheduling.resources import Requirements
from morphml.scheduling.scheduler import Placement, Scheduler, create_scheduler
from morphml.scheduling.seat import is_avoided
from morphml.scheduling.task_events import (
    FINAL_STATES,
    Adopted,
    Cancel,
    Claimed,
    Conclude,
    Failed,
    Lost,
    Requeue,
    Returned,
    Started,
    StopAttempt,
    StoreResult,
    Succeeded,
    TaskCommand,
    TaskEvent,
    TaskState,
)
from morphml.scheduling.waiting import WaitingTask

ME = SessionId("me")
RULE = PlacingRule(elsewhere_s=2.0, gang_after_s=5.0)
NEEDS = ({}, {"gpu": 1}, {"ssd": 1})
OFFERS = ({}, {"gpu": 1.0}, {"gpu": 1.0, "ssd": 1.0})
AGE_STEP_S = 60.0


@dataclass
class Job:
    """A task with what the master knows of it beside."""

    machine: task.Task
    needs: Requirements
    rank: float
    cost: float | None
    #: Name of the attempt that waits for a place, when it was claimed.
    waiting: AttemptToken | None = None
    avoid: tuple[str, ...] = ()
    attempts: int = 0


@dataclass
class Box:
    """A worker with its breaker, and what really runs there, whatever the master thinks."""

    machine: worker.Worker
    fuse: breaker.Breaker
    offers: dict[str, float]
    runs: set[AttemptToken] = field(default_factory=set)


class TogetherMachine(RuleBasedStateMachine):
    """One master, a few workers, any order of events."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.jobs: dict[TaskId, Job] = {}
        self.boxes: dict[str, Box] = {}
        self.of: dict[AttemptToken, TaskId] = {}
        self.stored: Counter[TaskId] = Counter()
        self.scheduler = create_scheduler("fifo", RULE)
        self.settled = True

    @initialize(policy=st.sampled_from(sorted(POLICIES)))
    def choose(self, policy: str) -> None:
        self.scheduler: Scheduler = create_scheduler(policy, RULE)
        for name, offers in zip("ab", OFFERS[1:], strict=True):
            self.join(name=name, slots=2, offers=offers)
        for number in range(5):
            self.enqueue(needs=NEEDS[number % 3], priority=1 + number, cost=None)

    # --- the master ------------------------------------------------------------------------------

    def tell(self, name: TaskId, event: TaskEvent) -> None:
        job = self.jobs[name]
        job.machine, commands = task.step(job.machine, event)
        for command in commands:
            self.obey(name, job, command)

    def obey(self, name: TaskId, job: Job, command: TaskCommand) -> None:
        match command:
            case StoreResult():
                self.stored[name] += 1
            case Requeue():
                job.avoid = command.avoid
            case StopAttempt():
                self.boxes[command.worker].runs.discard(command.token)
            case Conclude():
                assert job.machine.state in FINAL_STATES
            case _:
                pass

    def fill(self) -> None:
        """Claim what is ready, and place what can be placed."""
        for name, job in self.jobs.items():
            ready = job.machine.state is TaskState.PENDING and job.machine.ready_at <= self.now
            if ready and job.waiting is None:
                job.attempts += 1
                token = AttemptToken(f"{name}-{job.attempts}")
                self.of[token], job.waiting = name, token
                self.scheduler.submit(
                    WaitingTask(
                        token=token,
                        experiment=ExperimentId("e"),
                        rank=job.rank,
                        needs=job.needs,
                        avoid=job.avoid,
                        cost=job.cost,
                    )
                )
        while (placement := self.scheduler.decide(self.now)) is not None:
            self.place(placement)
        self.settled = True

    def place(self, placement: Placement) -> None:
        token = placement.token
        name = self.of[token]
        job, box = self.jobs[name], self.boxes[placement.worker]
        assert job.waiting == token
        assert box.fuse.admits
        self.check_priority(job)
        job.waiting = None
        self.tell(name, Claimed(token=token, worker=placement.worker, holder=ME))
        self.step_worker(placement.worker, worker.Assigned(token=token))
        box.fuse, _ = breaker.step(box.fuse, breaker.Passed())
        box.runs.add(token)
        self.follow(placement.worker)

    def check_priority(self, job: Job) -> None:
        """Nobody who wants the same and is ranked a whole step of ageing before it still waits."""
        earlier = [
            other
            for other in self.jobs.values()
            if other.waiting is not None
            and other.needs == job.needs
            and not other.avoid
            and other.rank <= job.rank - AGE_STEP_S
        ]
        assert earlier == []

    def follow(self, name: str) -> None:
        """Whether the worker may be sent anything."""
        box = self.boxes[name]
        awake = box.machine.state in (worker.WorkerState.IDLE, worker.WorkerState.BUSY)
        self.scheduler.fleet.open(name, awake and box.fuse.admits)

    def step_worker(self, name: str, event: worker.WorkerEvent) -> None:
        box = self.boxes[name]
        box.machine, commands = worker.step(box.machine, event)
        for command in commands:
            if isinstance(command, worker.GiveUpAttempts):
                for token in command.tokens:
                    self.scheduler.give_back(token)
                    self.tell(self.of[token], Lost(token=token, holder=ME, at=self.now))
        self.follow(name)

    def over(self, name: str, token: AttemptToken) -> None:
        """The worker let the attempt go."""
        self.boxes[name].runs.discard(token)
        self.scheduler.give_back(token)
        if token in self.boxes[name].machine.attempts:
            self.step_worker(name, worker.Released(token=token))

    # --- what happens ----------------------------------------------------------------------------

    @rule(
        needs=st.sampled_from(NEEDS),
        priority=st.integers(1, 10),
        cost=st.sampled_from([None, 1.0, 5.0]),
    )
    def enqueue(self, needs: dict[str, float], priority: int, cost: float | None) -> None:
        if len(self.jobs) < 20:
            name = TaskId(f"t{len(self.jobs)}")
            rank = self.now - priority * AGE_STEP_S
            self.jobs[name] = Job(task.Task(id=name), Requirements.parse(needs), rank, cost)
            self.settled = False
            if len(self.jobs) % 2:
                self.fill()

    @rule(name=st.sampled_from("abc"), slots=st.integers(1, 2), offers=st.sampled_from(OFFERS))
    def join(self, name: str, slots: int, offers: dict[str, float]) -> None:
        """A worker comes, or comes back with what it still has."""
        box = self.boxes.get(name)
        if box is None or box.machine.state is worker.WorkerState.GONE:
            fresh = worker.Worker(id=name, heard_at=self.now)
            box = self.boxes[name] = Box(fresh, breaker.Breaker(id=name), dict(offers))
        has = tuple(sorted(box.runs))
        slots = box.machine.slots or slots
        held = {token: self.jobs[self.of[token]].needs for token in has}
        self.scheduler.fleet.put(name, name=name, slots=slots, capabilities=box.offers, held=held)
        for token in has:
            self.take_back(name, box, token)
        attempts = tuple(token for token in has if token in box.runs)
        self.step_worker(name, worker.Announced(slots=slots, attempts=attempts, at=self.now))
        self.settled = False

    def take_back(self, name: str, box: Box, token: AttemptToken) -> None:
        """It still runs what was perhaps given up: adopted, or killed."""
        job = self.jobs[self.of[token]]
        lives = job.machine.token == token and job.machine.worker == name
        self.tell(self.of[token], Adopted(token=token, worker=name, holder=ME))
        if job.machine.token != token:
            box.runs.discard(token)
            self.scheduler.fleet.give_back(name, token)
        elif not lives:
            if job.waiting is not None:  # it had been claimed again, and was not placed
                assert self.scheduler.withdraw(job.waiting)
                job.waiting = None
            known = WaitingTask(token=token, experiment=ExperimentId("e"), needs=job.needs)
            self.scheduler.adopt(known, name, self.now)

    @precondition(lambda self: any(box.runs for box in self.boxes.values()))
    @rule(
        data=st.data(), how=st.sampled_from(["start", "done", "done", "fails", "breaks", "returns"])
    )
    def attempt(self, data: st.DataObject, how: str) -> None:
        """Something happens to an attempt at a worker that is heard."""
        pairs = [(n, t) for n, box in self.boxes.items() if self.heard(box) for t in box.runs]
        if not pairs:
            return
        name, token = data.draw(st.sampled_from(sorted(pairs)))
        box, owner = self.boxes[name], self.of[token]
        if how == "start":
            if self.jobs[owner].machine.token == token:
                self.tell(owner, Started(token=token))
            return
        if how in ("done", "fails", "breaks"):
            worked = how == "done"
            self.scheduler.ended(token, seconds=1.0, succeeded=worked, now=self.now)
        self.finish(owner, token, name, how)
        self.over(name, token)
        before = box.fuse.state
        fuse = breaker.Broke(at=self.now) if how == "breaks" else breaker.Worked()
        box.fuse, _ = breaker.step(box.fuse, fuse)
        assert (before, type(fuse)) in breaker.TRANSITIONS
        self.follow(name)
        self.settled = False
        if how != "returns":
            self.fill()

    def finish(self, owner: TaskId, token: AttemptToken, name: str, how: str) -> None:
        kinds = {"fails": FailureKind.USER_ERROR, "breaks": FailureKind.INFRASTRUCTURE}
        if how == "done":
            self.tell(owner, Succeeded(token=token))
        elif how == "returns":
            self.tell(owner, Returned(token=token, at=self.now))
        else:
            failure = Failure(kind=kinds[how], worker=name, at=self.now, token=token)
            self.tell(owner, Failed(token=token, failure=failure))

    def heard(self, box: Box) -> bool:
        states = (worker.WorkerState.IDLE, worker.WorkerState.BUSY, worker.WorkerState.DRAINING)
        return box.machine.state in states

    @precondition(lambda self: self.boxes)
    @rule(data=st.data(), how=st.sampled_from(["breaks off", "drain", "leave"]))
    def lose(self, data: st.DataObject, how: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.boxes)))
        box = self.boxes[name]
        if how == "breaks off":
            self.step_worker(name, worker.StreamBroke(at=self.now))
        elif how == "drain":
            self.step_worker(name, worker.Drain())
        else:
            box.runs.clear()
            self.step_worker(name, worker.Left())
        self.settled = False

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), sure=st.integers(0, 3))
    def cancel(self, data: st.DataObject, sure: int) -> None:
        if sure:
            return
        name = data.draw(st.sampled_from(sorted(self.jobs)))
        job = self.jobs[name]
        token, where = job.machine.token, job.machine.worker
        self.tell(name, Cancel())
        if job.waiting is not None:
            assert self.scheduler.withdraw(job.waiting)
            job.waiting = None
        if token is not None and where is not None and job.machine.token is None:
            self.over(where, token)
        self.settled = False

    @rule(seconds=st.sampled_from([0.5, 3.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for name, box in self.boxes.items():
            if self.heard(box):
                self.step_worker(name, worker.Heard(at=self.now))
            self.step_worker(name, worker.ClockTicked(at=self.now))
            box.fuse, _ = breaker.step(box.fuse, breaker.Ticked(at=self.now))
            self.follow(name)
        self.fill()

    @rule()
    def look(self) -> None:
        self.fill()

    # --- promises --------------------------------------------------------------------------------

    @invariant()
    def result_is_stored_at_most_once(self) -> None:
        assert all(count == 1 for count in self.stored.values())
        done = {n for n, job in self.jobs.items() if job.machine.state is TaskState.SUCCEEDED}
        assert done == set(self.stored)

    @invariant()
    def task_has_at_most_one_live_lease(self) -> None:
        for name, job in self.jobs.items():
            token = job.machine.token
            assert (token is not None) == (
                job.machine.state in (TaskState.LEASED, TaskState.RUNNING)
            )
            assert token is None or job.waiting is None
            lying = [t for t, owner in self.of.items() if owner == name and self.lies(t)]
            assert lying == ([] if token is None else [token])

    def lies(self, token: AttemptToken) -> bool:
        return bool(self.scheduler.where(token))

    @invariant()
    def slots_and_needs_are_never_promised_twice(self) -> None:
        for name, box in self.boxes.items():
            seat = self.scheduler.fleet.get(name)
            lying = set() if seat is None else set(seat.holdings.held)
            held = [self.jobs[self.of[AttemptToken(str(token))]].needs for token in lying]
            assert lying == set(box.machine.attempts) or not lying
            assert sum(needs.gpu is not None for needs in held) <= box.offers.get("gpu", 0.0)

    @invariant()
    def nothing_waits_while_a_worker_that_fits_is_idle(self) -> None:
        if not self.settled or self.scheduler.due() < math.inf:
            return
        for job in self.jobs.values():
            if job.waiting is not None:
                assert not [n for n in self.boxes if self.could_start(n, job)]

    def could_start(self, name: str, job: Job) -> bool:
        box, seat = self.boxes[name], self.scheduler.fleet.get(name)
        return (
            seat is not None
            and box.fuse.admits
            and box.machine.free_slots > 0
            and not is_avoided(name, job.avoid)
            and seat.holdings.fits(job.needs)
        )


TogetherMachine.TestCase.settings = settings(stateful_step_count=40)
TestTogetherMachine = TogetherMachine.TestCase
