"""The workers of a hub: the life of each by its machine, and when to look at it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from morphml.engines.remote.hub.attempt import Moment
from morphml.engines.remote.messages import Beat, Figures, Registration, ShutGpu
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.fleet import Fleet
from morphml.scheduling.resources import Requirements
from morphml.scheduling.worker import (
    AWAY,
    OPEN,
    Announced,
    Assigned,
    ClockTicked,
    Drain,
    Heard,
    Left,
    Released,
    StreamBroke,
    Worker,
    WorkerCommand,
    WorkerEvent,
    WorkerRule,
    WorkerState,
    step,
)

#: What bars a worker from work all of whose GPUs are broken; see ``Member.barred``.
GPUS = "gpus"
#: Seconds between two looks at one worker, at least.
_LEAST_S = 0.01


@dataclass(slots=True)
class Member:
    """A worker that is or was here."""

    worker: Worker
    registration: Registration
    peer: str = ""
    figures: Figures = field(default_factory=Figures)
    #: Attempts that its beats should show, and how many beats in a row did not.
    expected: dict[AttemptToken, int] = field(default_factory=dict)
    #: Attempts that its last beat showed as waiting there.
    queued: int = 0
    #: GPUs that it gives to nobody, and how many of its slots are not used for that.
    shut_gpus: tuple[ShutGpu, ...] = ()
    shut_slots: int = 0
    #: Experiments that it said to be ready for, on this stream.
    ready: set[ExperimentId] = field(default_factory=set)
    #: It said itself that it takes nothing more.
    draining: bool = False
    #: Why it gets no work although it is there, by what found it.
    barred: dict[str, str] = field(default_factory=dict)
    #: It sent a result of what it does not have, and that was said.
    lied: bool = False
    #: Seconds since the Unix epoch of its last message.
    heard_epoch: float = 0.0
    #: Monotonic seconds when to look at it again; an entry of the heap with another time is void.
    due: float = 0.0

    @property
    def live(self) -> bool:
        """Whether it is there, or may be back soon."""
        return self.worker.state not in AWAY

    @property
    def open(self) -> bool:
        """Whether it may be sent something now."""
        return self.worker.state in OPEN and not self.draining and not self.barred

    @property
    def state(self) -> WorkerState:
        """The state that people see: one that leaves by itself drains like one that was told to."""
        state = self.worker.state
        return WorkerState.DRAINING if self.draining and state in OPEN else state

    @property
    def why_barred(self) -> str:
        """What people are told of a worker that gets no work; "" for any other."""
        return "; ".join(self.barred.values())


class Roster:
    """All workers. Times are monotonic seconds.

    Args:
        rule: how long silence is borne.
        fleet: kept up to date about who may be sent anything.
        remember_s: how long a worker stays here that is lost or gone.
    """

    def __init__(self, rule: WorkerRule, fleet: Fleet, remember_s: float) -> None:
        self._rule = rule
        self._fleet = fleet
        self._remember_s = remember_s
        self.members: dict[str, Member] = {}
        #: (when to look at the worker again, its id).
        self._due: list[tuple[float, str]] = []

    def live(self, worker: str) -> Member | None:
        """The worker, if it is there or may be back soon."""
        member = self.members.get(worker)
        return member if member is not None and member.live else None

    # --- events ----------------------------------------------------------------------------------

    def announce(
        self,
        registration: Registration,
        attempts: tuple[AttemptToken, ...],
        peer: str,
        now: Moment,
    ) -> tuple[Member, tuple[WorkerCommand, ...]]:
        """A worker joins or comes back; its slots are taken by ``attempts``."""
        known = self.members.get(registration.worker)
        if known is None or known.worker.state is WorkerState.GONE:
            fresh = Worker(id=registration.worker, heard_at=now.monotonic)
            known = Member(worker=fresh, registration=registration)
            self.members[registration.worker] = known
        known.registration, known.peer, known.draining = registration, peer, False
        known.heard_epoch = now.epoch
        known.ready.clear()
        event = Announced(slots=registration.slots, attempts=attempts, at=now.monotonic)
        commands = self._step(known, event)
        self._watch(known)
        return known, commands

    def settle(self, member: Member, held: Mapping[AttemptToken, Requirements]) -> None:
        """Put it into the fleet again, with what lies on it, after it announced itself."""
        registration = member.registration
        if member.live:
            self._fleet.put(
                registration.worker,
                name=registration.name,
                slots=registration.slots,
                capabilities=registration.capabilities,
                held=held,
            )
            self._shut(member)
        self._follow(member)

    def assigned(self, member: Member, token: AttemptToken) -> None:
        """An attempt was sent to it."""
        member.expected[token] = 0
        self._step(member, Assigned(token=token))

    def released(self, member: Member, token: AttemptToken) -> tuple[WorkerCommand, ...]:
        """It has let an attempt go."""
        member.expected.pop(token, None)
        if token not in member.worker.attempts:
            return ()
        return self._step(member, Released(token=token))

    def heard(self, worker: str, now: Moment) -> Member | None:
        """Any message came from it; None for a worker that is not here."""
        member = self.members.get(worker)
        if member is None:
            return None
        member.heard_epoch = now.epoch
        self._step(member, Heard(at=now.monotonic))
        return member

    def broke(self, member: Member, now: Moment) -> None:
        """Its stream closed."""
        member.peer = ""
        self._step(member, StreamBroke(at=now.monotonic))
        self._watch(member)

    def left(self, member: Member) -> tuple[WorkerCommand, ...]:
        """It said goodbye."""
        return self._step(member, Left())

    def drain(self, member: Member) -> tuple[WorkerCommand, ...]:
        """Somebody wants it gone."""
        return self._step(member, Drain())

    def drains(self, member: Member) -> None:
        """It said that it takes nothing more."""
        member.draining = True
        self._follow(member)

    def bar(self, member: Member, cause: str, why: str) -> None:
        """Let it get no work, though what it has goes on, until ``why`` is empty for each cause."""
        if why:
            member.barred[cause] = why
        else:
            member.barred.pop(cause, None)
        self._follow(member)

    def measured(self, member: Member, beat: Beat) -> None:
        """A beat said how it is."""
        member.figures, member.queued = beat.figures, len(beat.queued)
        if (beat.shut_gpus, beat.shut_slots) != (member.shut_gpus, member.shut_slots):
            member.shut_gpus, member.shut_slots = beat.shut_gpus, beat.shut_slots
            self._shut(member)

    # --- time ------------------------------------------------------------------------------------

    def tick(self, now: Moment) -> Iterator[tuple[Member, tuple[WorkerCommand, ...]]]:
        """The workers for which something is due, and what follows."""
        while self._due and self._due[0][0] <= now.monotonic:
            due, worker = heappop(self._due)
            member = self.members.get(worker)
            if member is None or member.due != due:
                continue
            if not member.live:
                if now.monotonic - member.worker.heard_at >= self._remember_s:
                    self._forget(worker)
                    continue
                commands: tuple[WorkerCommand, ...] = ()
            else:
                commands = self._step(member, ClockTicked(at=now.monotonic))
            self._watch(member, now.monotonic + _LEAST_S)
            if commands:
                yield member, commands

    def forgive(self, gap_s: float) -> None:
        """The master itself stood still for so long: no worker was silent meanwhile."""
        for member in self.members.values():
            worker = member.worker
            broke_at = None if worker.broke_at is None else worker.broke_at + gap_s
            heard_at = worker.heard_at + gap_s
            member.worker = replace(worker, heard_at=heard_at, broke_at=broke_at)
            self._watch(member)

    def clear(self) -> None:
        """Forget all."""
        for worker in list(self.members):
            self._forget(worker)
        self._due.clear()

    # --- inside ----------------------------------------------------------------------------------

    def _step(self, member: Member, event: WorkerEvent) -> tuple[WorkerCommand, ...]:
        before = member.worker.state
        member.worker, commands = step(member.worker, event, self._rule)
        if member.worker.state is not before:
            self._follow(member)
        return commands

    def _shut(self, member: Member) -> None:
        """Let the fleet know which GPUs it does not use; without any, it gets no work."""
        slots = member.registration.slots - member.shut_slots
        self._fleet.shut(
            member.worker.id, [gpu.index for gpu in member.shut_gpus], slots=max(1, slots)
        )
        self.bar(member, GPUS, "" if slots > 0 else "none of its GPUs can be used")

    def _follow(self, member: Member) -> None:
        """Let the fleet know what the state means for them."""
        worker = member.worker
        if worker.state in AWAY:
            self._fleet.remove(worker.id)
        else:
            self._fleet.open(worker.id, member.open)

    def _watch(self, member: Member, least: float = 0.0) -> None:
        worker = member.worker
        if not member.live:
            due = worker.heard_at + self._remember_s
        elif worker.broke_at is not None:
            due = worker.broke_at + self._rule.announce_within_s
        elif worker.state is WorkerState.SUSPECT:
            due = worker.heard_at + self._rule.lost_after_s
        else:
            due = worker.heard_at + self._rule.suspect_after_s
        member.due = max(due, least)
        heappush(self._due, (member.due, worker.id))

    def _forget(self, worker: str) -> None:
        self.members.pop(worker, None)
        self._fleet.remove(worker)
