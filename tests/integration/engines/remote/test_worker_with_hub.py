"""Worker processes at a real hub: what they do together, counted."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from tests.integration.engines.remote.scripted import KeptRecords
from tests.integration.engines.remote.scripted_master import SPACE
from tests.integration.engines.remote.worker_processes import Workers

import morphml
from morphml.clock import Clock, SystemClock
from morphml.engines.port import (
    Assignment,
    Checkpointed,
    EngineEvent,
    Failed,
    Finished,
    PausedAt,
    Reported,
    Returned,
    Started,
    Succeeded,
)
from morphml.engines.remote.access import ServerAccess
from morphml.engines.remote.hub import Hub, HubSettings, identify
from morphml.engines.remote.messages import ContextMessage
from morphml.evaluation.orders import Order
from morphml.ids import AttemptToken, ExperimentId, SessionId, new_session_id, new_token
from morphml.scheduling.failures import FailureKind
from morphml.scheduling.worker import WorkerState
from morphml.testing.clock import FakeClock

EXPERIMENT = ExperimentId("experiment")


def message(evaluator: str, experiment: ExperimentId = EXPERIMENT) -> ContextMessage:
    return ContextMessage(
        experiment=experiment,
        space=SPACE.to_text(),
        evaluator=evaluator,
        required=("score",),
        digest=evaluator,
    )


@dataclass
class Master:
    """A hub, one lane, and all that the lane told."""

    hub: Hub
    records: KeptRecords
    events: list[EngineEvent] = field(default_factory=list)
    experiment: ExperimentId = EXPERIMENT

    def __post_init__(self) -> None:
        self.lane = self.hub.lane(EXPERIMENT, self.hub.slots)
        self.lane.prepare(EXPERIMENT, None)  # type: ignore[arg-type]  # it asks the records

    def submit(self, number: int, seconds: float = 0.0, **fields: object) -> AttemptToken:
        vector = (0,) * (len(SPACE.decisions) - 1) + (seconds,)
        assignment = Assignment(
            token=new_token(),
            experiment=self.experiment,
            number=number,
            vector=vector,
            seed=number,
            **fields,  # type: ignore[arg-type]  # Assignment's own
        )
        self.lane.submit(assignment)
        self.records.adoptable.add(assignment.token)
        return assignment.token

    def ends(self) -> dict[AttemptToken, Finished]:
        return {each.token: each for each in self.events if isinstance(each, Finished)}

    def pump(self, until: Callable[[], object], within_s: float = 120.0) -> float:
        """Take events, acknowledge ends; the seconds that it took."""
        begun = time.monotonic()
        while not until():
            if time.monotonic() - begun > within_s:
                raise TimeoutError(f"not within {within_s} s; told last: {self.events[-5:]}")
            news = self.lane.events(0.1)
            self.events += news
            self.lane.acknowledge([each.token for each in news if isinstance(each, Finished)])
        return time.monotonic() - begun

    def finish(self, *tokens: AttemptToken) -> list[Finished]:
        self.pump(lambda: set(tokens) <= set(self.ends()))
        return [self.ends()[token] for token in tokens]

    def started(self) -> list[AttemptToken]:
        return [each.token for each in self.events if isinstance(each, Started)]


_PATIENT = {
    "beat_s": 0.3,
    "patience_s": 20.0,
    "suspect_after_s": 60.0,
    "accept_within_s": 60.0,
    "lost_after_s": 120.0,
}


@contextmanager
def serving(
    records: KeptRecords, port: int = 0, clock: Clock | None = None, **times: float
) -> Iterator[Master]:
    """A hub that a busy machine does not make lose patience, unless ``times`` say otherwise."""
    session: SessionId = new_session_id()
    hub = Hub(
        HubSettings(listen=f"127.0.0.1:{port}", **{**_PATIENT, **times}),  # type: ignore[arg-type]
        records,
        ServerAccess(),
        lambda: identify(session, morphml.__version__),
        clock or SystemClock(),
    )
    hub.start()
    try:
        yield Master(hub, records)
    finally:
        hub.close(grace_s=0.0)


@pytest.fixture
def records(tmp_path: Path) -> KeptRecords:
    kept = KeptRecords(tmp_path / "artifacts")
    kept.contexts[EXPERIMENT] = message("remote_evaluators:evaluate")
    return kept


def test_hub_and_workers_run_each_attempt_once(records: KeptRecords, workers: Workers) -> None:
    with serving(records) as master:
        started = [workers.start(master.hub.port, slots=2) for _ in range(2)]
        master.pump(lambda: master.hub.slots() == 4)
        tokens = [master.submit(number, 0.02) for number in range(40)]
        ends = master.finish(*tokens)
        assert [end.outcome for end in ends] == [
            Succeeded(metrics={"score": float(number)}) for number in range(40)
        ]
        master.pump(lambda: all(view.running == 0 for view in master.hub.workers()))
    ran = Counter(line[0] for worker in started for line in worker.lines("began"))
    assert ran == Counter(str(number) for number in range(40))
    assert Counter(master.started()) == Counter(tokens)
    assert {end.worker.partition("/")[0] for end in ends} == {"w0", "w1"}


def test_attempts_outlive_their_master(records: KeptRecords, workers: Workers) -> None:
    records.contexts[EXPERIMENT] = message("remote_evaluators:gated")
    with serving(records) as first:
        worker = workers.start(first.hub.port, slots=2)
        first.pump(lambda: first.hub.slots() == 2)
        running = [first.submit(number) for number in range(2)]
        first.pump(lambda: len(first.started()) == 2)
        port = first.hub.port
    with serving(records, port) as second:
        second.pump(lambda: second.hub.running(EXPERIMENT) == set(running))
        worker.let(0, 1, 9)
        ends = second.finish(*running)
        after = second.finish(second.submit(9))
    assert [type(end.outcome) for end in (*ends, *after)] == [Succeeded] * 3
    assert Counter(line[0] for line in worker.lines("began")) == Counter(["0", "1", "9"])


def test_worker_goes_to_a_master_that_came_after_it(records: KeptRecords, workers: Workers) -> None:
    with serving(records) as first:
        workers.start(first.hub.port, slots=1)
        first.pump(lambda: first.hub.slots() == 1)
        with serving(records) as later:
            first.hub.tell_masters([f"127.0.0.1:{later.hub.port}"])
            token = first.submit(0)  # in the same order: when it has ended, both were heard
            assert isinstance(first.finish(token)[0].outcome, Succeeded)
            first.hub.close()
            later.pump(lambda: later.hub.slots() == 1)


def test_killed_worker_is_noticed_and_its_attempts_given_up(
    records: KeptRecords, workers: Workers
) -> None:
    with serving(records) as master:
        worker = workers.start(master.hub.port, slots=1)
        master.pump(lambda: master.hub.slots() == 1)
        token = master.submit(0, 60.0)
        master.pump(lambda: master.started())
        worker.signal(signal.SIGKILL)
        suspected = master.pump(lambda: worker_states(master) == [WorkerState.SUSPECT])
        assert suspected < 30.0  # not by its silence
        seconds = master.pump(lambda: token in master.ends())
        outcome = master.ends()[token].outcome
    assert isinstance(outcome, Failed)
    assert outcome.kind is FailureKind.LOST_WORKER
    assert seconds < 100.0  # of the time that it has to come back, not of its silence


def worker_states(master: Master) -> list[WorkerState]:
    return [view.state for view in master.hub.workers()]


def test_late_result_of_a_worker_that_stood_still_counts_for_nothing(
    records: KeptRecords, workers: Workers
) -> None:
    records.contexts[EXPERIMENT] = message("remote_evaluators:gated")
    clock = FakeClock()
    times = {"suspect_after_s": 1.0, "announce_within_s": 1.0, "lost_after_s": 2.0}
    with serving(records, clock=clock, **times) as master:
        asleep = workers.start(master.hub.port, slots=1)
        master.pump(lambda: master.hub.slots() == 1)
        token = master.submit(0)
        master.pump(lambda: master.started())
        for process in (psutil.Process(asleep.process.pid), *asleep.family()):
            process.suspend()
        for _ in range(6):  # in steps that the hub sees; a longer one would be its own standstill
            clock.advance(0.5)
            master.pump(lambda: master.hub.ticked_at == clock.monotonic())
        master.pump(lambda: token in master.ends())
        asleep.let(0, 1)
        outcome = master.ends()[token].outcome
        assert isinstance(outcome, Failed)
        assert outcome.kind is FailureKind.LOST_WORKER
        records.adoptable.discard(token)
        for process in (*asleep.family(), psutil.Process(asleep.process.pid)):
            process.resume()
        master.pump(lambda: master.hub.slots() == 1)
        (end,) = master.finish(master.submit(1))
        assert isinstance(end.outcome, Succeeded)
        ends = [event for event in master.events if isinstance(event, Finished)]
        assert [event.token for event in ends].count(token) == 1


def test_drained_worker_gives_back_what_waits(records: KeptRecords, workers: Workers) -> None:
    records.contexts[EXPERIMENT] = message("remote_evaluators:gated")
    with serving(records, ahead=1.0, ahead_below_s=100.0) as master:
        worker = workers.start(master.hub.port, slots=1)
        worker.let(*range(10, 15))
        master.pump(lambda: master.hub.slots() == 1)
        master.finish(*[master.submit(number) for number in range(10, 15)])
        first, waiting = master.submit(0), master.submit(1)
        master.pump(lambda: first in master.started())
        master.pump(lambda: [view.queued for view in master.hub.workers()] == [1])
        worker.signal(signal.SIGTERM)
        assert [type(end.outcome) for end in master.finish(waiting)] == [Returned]
        worker.let(0)
        assert [type(end.outcome) for end in master.finish(first)] == [Succeeded]
        assert worker.wait() == 0
        other = workers.start(master.hub.port, slots=1)
        other.let(1)
        # What no worker is there for goes back to whoever submitted it.
        master.pump(lambda: master.hub.slots() == 1)
        (end,) = master.finish(master.submit(1))
        assert isinstance(end.outcome, Succeeded)
    assert [line[0] for line in worker.lines("began")][5:] == ["0"]
    assert [line[0] for line in other.lines("began")] == ["1"]


def test_order_to_stop_goes_through_the_hub_at_once(records: KeptRecords, workers: Workers) -> None:
    records.contexts[EXPERIMENT] = message("remote_evaluators:reporting")
    beat_s = 20.0
    with serving(records, beat_s=beat_s) as master:
        worker = workers.start(master.hub.port, slots=1)
        master.pump(lambda: master.hub.slots() == 1)
        latencies = []
        for number in range(5):
            token = master.submit(number)
            reports = len(master.events)
            master.pump(
                lambda: sum(isinstance(e, Reported) for e in master.events[reports:]) > 5  # noqa: B023
            )
            sent = time.time()
            master.lane.order(token, Order.STOP)
            master.finish(token)
            latencies.append(float(worker.lines("ended")[-1][2]) - sent)
    assert max(latencies) < beat_s / 2, "they wait for nothing"


@pytest.mark.slow
def test_trial_goes_on_from_its_checkpoint_at_another_worker(
    records: KeptRecords, workers: Workers
) -> None:
    records.contexts[EXPERIMENT] = message("remote_training:counting")
    with serving(records) as master:
        first = workers.start(master.hub.port, slots=1)
        master.pump(lambda: master.hub.slots() == 1)
        token = master.submit(0, 60.0)
        master.pump(lambda: any(isinstance(e, Checkpointed) for e in master.events))
        master.lane.order(token, Order.PAUSE)
        (end,) = master.finish(token)
        assert isinstance(end.outcome, PausedAt)
        saved = [e for e in master.events if isinstance(e, Checkpointed)][-1]
        assert saved.step == end.outcome.step
        first.signal(signal.SIGTERM)
        assert first.wait() == 0
        second = workers.start(master.hub.port, slots=1)
        master.pump(lambda: master.hub.slots() == 1)
        on = master.submit(0, 0.0, segment=1, checkpoint=saved.path, from_epoch=saved.step)
        (end,) = master.finish(on)
        assert end.outcome == Succeeded(metrics={"score": 4.0})
    assert [line.split()[0] for line in second.tally.read_text().splitlines()] == [
        f"from-{saved.step}",
        "ended",
    ]
