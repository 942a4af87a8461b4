"""Workers that say what a test tells them to, over real streams, and records kept in memory."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import grpc

import morphml
from morphml.clock import Clock, SystemClock
from morphml.engines.port import Assignment, EngineEvent, Finished, Started
from morphml.engines.remote import announcing
from morphml.engines.remote.access import ServerAccess
from morphml.engines.remote.hub import Hub, HubSettings, Lane, identify
from morphml.engines.remote.messages import AttemptName, ContextMessage, Registration
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.errors import StoreUnavailable
from morphml.ids import AttemptToken, ExperimentId, SessionId, new_token
from morphml.jobs import Artifact, ArtifactFolder
from morphml.testing.clock import FakeClock

E = TypeVar("E", bound=EngineEvent)
E1, E2 = ExperimentId("one"), ExperimentId("two")
WORK = "/morphml.worker.v1.MasterService/Work"


def eventually(check: Callable[[], object], within_s: float = 90.0, what: str = "") -> None:
    end = time.monotonic() + within_s
    while not check():
        if time.monotonic() > end:
            raise AssertionError(f"not within {within_s} s: {what or check}")
        time.sleep(0.005)


def attempt(experiment: ExperimentId = E1, number: int = 0, **fields: object) -> Assignment:
    plain: dict[str, object] = {
        "token": new_token(),
        "experiment": experiment,
        "number": number,
        "vector": (number,),
        "seed": number,
    }
    return Assignment(**{**plain, **fields})  # type: ignore[arg-type]  # Assignment's own fields


def name_of(assignment: Assignment) -> AttemptName:
    return AttemptName(
        token=assignment.token,
        owner=assignment.experiment,
        number=assignment.number,
        segment=assignment.segment,
    )


@dataclass
class KeptRecords:
    """A store that a test fills by hand."""

    folder: Path
    adoptable: set[AttemptToken] = field(default_factory=set)
    stored: set[AttemptToken] = field(default_factory=set)
    told: list[tuple[ExperimentId, EngineEvent, AttemptName]] = field(default_factory=list)
    bundles: dict[str, bytes] = field(default_factory=dict)
    asked: list[AttemptToken] = field(default_factory=list)
    contexts: dict[ExperimentId, ContextMessage] = field(default_factory=dict)
    down: bool = False

    def adopt(self, attempts: Sequence[AttemptName]) -> list[AttemptToken]:
        self._reach()
        self.asked += [each.token for each in attempts]
        return [each.token for each in attempts if each.token in self.adoptable]

    def ended(self, attempts: Sequence[AttemptName]) -> list[AttemptToken]:
        self._reach()
        return [each.token for each in attempts if each.token in self.stored]

    def context(self, experiment: ExperimentId) -> ContextMessage | None:
        self._reach()
        plain = ContextMessage(experiment=experiment, evaluator="pkg.module:evaluate")
        return self.contexts.get(experiment, plain)

    def elsewhere(
        self, experiment: ExperimentId, events: Sequence[EngineEvent], attempt: AttemptName
    ) -> None:
        self._reach()
        self.told += [(experiment, event, attempt) for event in events]

    def checkpoint_path(self, attempt: AttemptName, step: int) -> Path:
        return self.folder / f"{attempt.number}-{attempt.segment}" / f"{step}.pt"

    def artifacts(self, execution: ExperimentId) -> ArtifactFolder:
        return ArtifactFolder(self.folder / execution)

    def share_artifact(self, execution: ExperimentId, artifact: Artifact) -> None:
        self._reach()

    def fetch_artifact(self, execution: ExperimentId, artifact: Artifact) -> bool:
        self._reach()
        return False

    def bundle(self, digest: str) -> Iterator[bytes] | None:
        return iter([self.bundles[digest]]) if digest in self.bundles else None

    def _reach(self) -> None:
        if self.down:
            raise StoreUnavailable("the store is away")

    def told_ends(self) -> list[AttemptToken]:
        return [event.token for _, event, _ in self.told if isinstance(event, Finished)]


class ScriptedWorker:
    """One stream to a hub; it does nothing by itself but read."""

    def __init__(self, port: int, *, worker: str = "w1", slots: int = 2, **fields: object) -> None:
        plain: dict[str, object] = {
            "worker": worker,
            "name": f"box-{worker}",
            "morphml_version": morphml.__version__,
            "python_version": "3.11.9",
            "slots": slots,
        }
        #: What it registers with.
        self.registration = Registration(**{**plain, **fields})  # type: ignore[arg-type]  # its own
        self.port = port
        self.received: list[pb.MasterEvent] = []
        #: How many messages these came in.
        self.messages = 0
        self.status: tuple[grpc.StatusCode, str] | None = None
        self.beats = 0
        self._say: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    # --- the stream ------------------------------------------------------------------------------

    def dial(self, *, register: bool = True) -> ScriptedWorker:
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        call = self.channel.stream_stream(
            WORK, request_serializer=None, response_deserializer=pb.WorkResponse.FromString
        )
        if register:
            message = announcing.registration_to_proto(self.registration)
            self.say(pb.WorkerEvent(registration=message))
        self.call = call(iter(self._say.get, None))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if register:
            eventually(lambda: self.of("welcome") or self.status, what="a welcome")
        return self

    def _read(self) -> None:
        try:
            for response in self.call:
                self.messages += 1
                self.received += response.events
            self.status = (grpc.StatusCode.OK, "")
        except grpc.RpcError as error:
            self.status = (error.code(), error.details() or "")

    def say(self, *events: pb.WorkerEvent) -> None:
        self.say_bytes(pb.WorkRequest(events=events).SerializeToString())

    def say_bytes(self, data: bytes) -> None:
        self._say.put(data)

    def hang_up(self) -> None:
        """The connection breaks, as when the process is killed."""
        self.call.cancel()
        self.channel.close()
        self._say.put(None)
        self._reader.join(60)

    def wait_for_end(self) -> tuple[grpc.StatusCode, str]:
        eventually(lambda: self.status is not None, what="the stream's end")
        assert self.status is not None
        self._say.put(None)
        return self.status

    # --- what it was told ------------------------------------------------------------------------

    def of(self, kind: str) -> list[pb.MasterEvent]:
        return [event for event in list(self.received) if event.WhichOneof("event") == kind]

    def tasks(self) -> list[pb.Task]:
        return [event.task for event in self.of("task")]

    def tokens(self) -> list[str]:
        return [task.attempt.token for task in self.tasks()]

    def acknowledged(self) -> list[str]:
        return [t for event in self.of("acknowledged") for t in event.acknowledged.tokens]

    def killed(self) -> list[str]:
        return [t for event in self.of("verdict") for t in event.verdict.kill]

    def kept(self) -> list[str]:
        return [t for event in self.of("verdict") for t in event.verdict.keep]

    def orders(self) -> list[tuple[str, str]]:
        return [(event.order.token, event.order.order) for event in self.of("order")]

    def await_tasks(self, count: int) -> list[pb.Task]:
        eventually(lambda: len(self.tasks()) >= count, what=f"{count} tasks")
        return self.tasks()

    # --- what it says ----------------------------------------------------------------------------

    def accept(self, *tokens: str) -> None:
        self.say(pb.WorkerEvent(accepted=pb.Accepted(tokens=tokens)))

    def start(self, token: str, slot: str = "") -> None:
        slot = slot or f"{self.registration.name}/slot-1"
        self.say(pb.WorkerEvent(started=pb.Started(token=token, slot=slot, at=time.time())))

    def beat(
        self,
        running: Sequence[str] = (),
        queued: Sequence[str] = (),
        unacknowledged: Sequence[str] = (),
    ) -> None:
        self.beats += 1
        beat = pb.Beat(
            index=self.beats, running=running, queued=queued, unacknowledged=unacknowledged
        )
        self.say(pb.WorkerEvent(beat=beat))
        eventually(
            lambda: any(e.beat_seen.index == self.beats for e in self.of("beat_seen")),
            what="an answer to the beat",
        )

    def finish(self, *tasks: pb.Task, metrics: dict[str, float] | None = None) -> None:
        self.say(*(pb.WorkerEvent(result=self.result(task, metrics)) for task in tasks))

    def result(self, task: pb.Task, metrics: dict[str, float] | None = None) -> pb.Result:
        return pb.Result(
            attempt=task.attempt,
            slot=f"{self.registration.name}/slot-1",
            started_at=time.time(),
            duration_s=0.5,
            succeeded=pb.Succeeded(metrics=metrics or {"score": 1.0}),
        )


@dataclass
class Driver:
    """Whoever has a lane: collects what it tells."""

    lane: Lane
    events: list[EngineEvent] = field(default_factory=list)

    def pump(self, until: Callable[[], object], within_s: float = 90.0) -> None:
        end = time.monotonic() + within_s
        while not until():
            if time.monotonic() > end:
                raise AssertionError(f"not within {within_s} s; got {self.events[-5:]}")
            self.events += self.lane.events(0.05)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def ends(self) -> list[AttemptToken]:
        return [event.token for event in self.of(Finished)]

    def await_ends(self, count: int, within_s: float = 90.0) -> list[Finished]:
        self.pump(lambda: len(self.of(Finished)) >= count, within_s)
        return self.of(Finished)

    def quiet(self, for_s: float = 0.2) -> None:
        """Nothing is told for so long."""
        found = self.lane.events(for_s)
        assert found == []


@dataclass
class Site:
    """A hub with what a test needs around it."""

    hub: Hub
    records: KeptRecords
    workers: list[ScriptedWorker] = field(default_factory=list)

    def worker(self, worker: str = "w1", **fields: object) -> ScriptedWorker:
        made = ScriptedWorker(self.hub.port, worker=worker, **fields).dial()  # type: ignore[arg-type]  # its own
        self.workers.append(made)
        return made

    def again(self, worker: ScriptedWorker, **fields: object) -> ScriptedWorker:
        """The same process on a new stream."""
        return self.worker(
            worker.registration.worker, **{"slots": worker.registration.slots, **fields}
        )

    def driver(
        self, experiment: ExperimentId = E1, share: Callable[[], int] | None = None
    ) -> Driver:
        lane = self.hub.lane(experiment, share or self.hub.slots)
        lane.prepare(experiment, None)  # type: ignore[arg-type]  # a lane does not look at it
        assert lane.slots >= 0
        return Driver(lane)

    def driver_without_context(self, experiment: ExperimentId = E1) -> Driver:
        """A driver that cannot submit, since the store is away."""
        return Driver(self.hub.lane(experiment, self.hub.slots))

    def pass_time(self, clock: FakeClock, seconds: float) -> None:
        """Let time go by in steps that the hub sees; a longer one would be a standstill of its."""
        until = clock.monotonic() + seconds
        while clock.monotonic() < until:
            clock.advance(0.5)
            eventually(lambda: self.hub.ticked_at == clock.monotonic(), what="a tick")

    def state(self, worker: str) -> str:
        return next(view.state.value for view in self.hub.workers() if view.id == worker)


def running(place: Site, worker: ScriptedWorker, driver: Driver, number: int = 0) -> pb.Task:
    """One attempt that has started."""
    before = len(worker.tasks())
    driver.lane.submit(attempt(number=number))
    task = worker.await_tasks(before + 1)[-1]
    worker.start(task.attempt.token)
    driver.pump(lambda: any(e.token == task.attempt.token for e in driver.of(Started)))
    return task


def named(task: pb.Task) -> object:
    return name_of(
        attempt(task.attempt.owner, task.attempt.number, token=task.attempt.token)  # type: ignore[arg-type]  # texts are ids here
    )


#: Who is silent is soon suspect, and then lost.
QUICK = HubSettings(
    listen="127.0.0.1:0",
    beat_s=0.1,
    patience_s=0.4,
    suspect_after_s=1.0,
    announce_within_s=0.3,
    lost_after_s=2.5,
    accept_within_s=60,
    greet_within_s=0.5,
    tick_s=0.02,
)
#: Nobody is suspect, lost or overdue only since a test takes its time.
PATIENT = HubSettings(
    listen="127.0.0.1:0",
    suspect_after_s=60,
    lost_after_s=120,
    accept_within_s=60,
    announce_within_s=60,
    tick_s=0.02,
)
#: The same, but whose stream broke is soon lost.
FORGETFUL = replace(PATIENT, announce_within_s=0.3)


@contextlib.contextmanager
def site(
    folder: Path, settings: HubSettings = PATIENT, clock: Clock | None = None
) -> Iterator[Site]:
    records = KeptRecords(folder)
    session = SessionId("ab" * 16)
    hub = Hub(
        settings,
        records,
        ServerAccess(),
        lambda: identify(session, morphml.__version__),
        clock or SystemClock(),
    )
    hub.start()
    made = Site(hub, records)
    try:
        yield made
    finally:
        for worker in made.workers:
            worker.hang_up()
        hub.close()
