"""Single stories of one worker and one attempt, told to the book of a hub."""

from __future__ import annotations

import pytest

from morphml.engines.failure import failure
from morphml.engines.port import Assignment, Finished, Started, Succeeded
from morphml.engines.remote.hub.attempt import AttemptState, Moment
from morphml.engines.remote.hub.book import Book
from morphml.engines.remote.hub.settings import HubSettings
from morphml.engines.remote.messages import AttemptName, Beat, Registration
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.failures import FailureKind

EXPERIMENT = ExperimentId("e1")


class Story:
    """One worker with one attempt that has started; events are not taken by themselves."""

    def __init__(self) -> None:
        self.book = Book(HubSettings())
        self.time = 100.0
        self.book.tick(self.now)
        self.has: tuple[AttemptName, ...] = ()
        self.book.drivers.attach(EXPERIMENT)
        self.come()
        self.token = AttemptToken("ab" * 16)
        self.name = AttemptName(token=self.token, owner=EXPERIMENT, number=0)
        assignment = Assignment(
            token=self.token, experiment=EXPERIMENT, number=0, vector=(), seed=0
        )
        self.book.drivers.submit([assignment], self.now)
        self.has = (self.name,)
        started = Started(token=self.token, worker="box-w/slot-0", at=5.0)
        self.book.workers.event("w", started)
        assert self.ends() == []
        self.book.take()

    @property
    def now(self) -> Moment:
        return Moment(self.time, self.time)

    def come(self) -> None:
        self.announce("w", 1, self.has)

    def announce(self, worker: str, slots: int, attempts: tuple[AttemptName, ...]) -> None:
        registration = Registration(
            worker=worker,
            name=f"box-{worker}",
            morphml_version="1",
            python_version="3",
            slots=slots,
            attempts=attempts,
        )
        self.book.workers.announce(registration, "peer", self.now)

    def lose(self) -> None:
        self.book.workers.broke("w", self.now)
        for _ in range(20):
            self.time += 0.25
            self.book.tick(self.now)
        self.book.take()

    def ends(self) -> list[str]:
        events = self.book.drivers.collect(EXPERIMENT)
        return [type(e.outcome).__name__ for e in events if isinstance(e, Finished)]

    def finish(self) -> None:
        end = Finished(
            token=self.token,
            outcome=Succeeded(metrics={}),
            worker="slot",
            started_at=0,
            duration_s=0,
        )
        self.book.workers.result("w", self.name, end, self.now)

    def commands(self) -> list[str]:
        return [type(command).__name__ for command in self.book.take().commands]


def test_loss_that_nobody_heard_of_is_taken_back_when_the_worker_is() -> None:
    story = Story()
    story.lose()
    story.come()
    assert story.book.ledger.scheduler.stakes.of(EXPERIMENT).used == 1
    assert story.book.ledger.scheduler.fleet.free() == 0
    assert story.ends() == []
    story.finish()
    assert story.ends() == ["Succeeded"]
    assert story.book.ledger.scheduler.stakes.of(EXPERIMENT).used == 0


def test_loss_that_the_driver_took_is_judged_by_the_store_once_it_is_stored() -> None:
    story = Story()
    story.lose()
    assert story.ends() == ["Failed"]
    story.come()
    assert story.commands() == []
    story.book.tick(story.now)
    assert story.commands() == []
    story.book.drivers.acknowledge([story.token])
    story.book.tick(story.now)
    assert story.commands() == ["AskRecords"]
    story.book.workers.resolve("w", [story.name], (), {story.token}, story.now)
    story.finish()
    assert story.ends() == ["Succeeded"]


def test_task_that_went_back_is_killed_where_it_still_shows() -> None:
    story = Story()
    story.book.ledger.attempts[story.token].state = AttemptState.ACCEPTED
    empty = Beat(index=1)
    story.book.workers.beat("w", empty, story.now)
    assert story.ends() == []
    story.book.workers.beat("w", empty, story.now)
    assert story.ends() == ["Returned"]
    assert story.commands() == ["SendVerdict"]
    story.come()
    assert story.commands() == ["SendVerdict"]
    story.book.drivers.acknowledge([story.token])
    story.come()
    assert story.commands() == ["SendVerdict"]
    story.finish()
    assert story.commands() == ["SendAcknowledged"]
    assert story.ends() == []


def test_attempt_that_waits_goes_back_when_the_only_worker_is_lost() -> None:
    story = Story()
    second = AttemptToken("cd" * 16)
    waiting = Assignment(token=second, experiment=EXPERIMENT, number=1, vector=(), seed=1)
    story.book.drivers.submit([waiting], story.now)
    for _ in range(20):
        story.time += 0.25
        story.book.workers.heard("w", story.now)
        story.book.tick(story.now)
    assert story.ends() == []  # its slot is taken, and may be free soon
    story.lose()
    assert sorted(story.ends()) == ["Failed", "Returned"]
    assert story.book.ledger.scheduler.stakes.of(EXPERIMENT).used == 0


def test_attempt_that_waits_stays_when_its_worker_is_back_in_time() -> None:
    story = Story()
    second = AttemptToken("cd" * 16)
    waiting = Assignment(token=second, experiment=EXPERIMENT, number=1, vector=(), seed=1)
    story.book.drivers.submit([waiting], story.now)
    story.book.workers.broke("w", story.now)
    for _ in range(8):
        story.time += 0.25
        story.book.tick(story.now)
    story.come()
    story.finish()
    assert story.ends() == ["Succeeded"]
    assert story.book.ledger.attempts[second].state is AttemptState.SENT


def test_what_a_worker_brings_is_busy_before_anybody_knows_whose_it_is() -> None:
    story = Story()
    drivers = story.book.drivers
    assert drivers.busy(EXPERIMENT) == 1
    brought = AttemptName(token=AttemptToken("cd" * 16), owner=EXPERIMENT, number=1)
    other = AttemptName(token=AttemptToken("ef" * 16), owner=ExperimentId("e2"), number=1)
    story.announce("v", 2, (brought, other))
    assert drivers.here(EXPERIMENT) == {story.token}
    assert (drivers.busy(EXPERIMENT), drivers.busy(ExperimentId("e2"))) == (2, 1)
    story.book.workers.resolve("v", [brought], (), {brought.token}, story.now)
    assert (drivers.busy(EXPERIMENT), len(drivers.here(EXPERIMENT))) == (2, 2)
    story.finish()
    assert drivers.busy(EXPERIMENT) == 1, "an end that waits to be told takes no slot"


@pytest.mark.parametrize(("slot", "told"), [("", "box-w"), ("box-w/slot-0", "box-w/slot-0")])
def test_attempt_that_fails_before_it_has_a_slot_is_told_under_the_name_of_its_worker(
    slot: str, told: str
) -> None:
    """Else a retry would not know whom to avoid, and a person not where to look."""
    story = Story()
    outcome = failure(FailureKind.INFRASTRUCTURE, "WorkerError", "no place for its files")
    end = Finished(token=story.token, outcome=outcome, worker=slot, started_at=0, duration_s=0)
    story.book.workers.result("w", story.name, end, story.now)
    events = story.book.drivers.collect(EXPERIMENT)
    assert [each.worker for each in events if isinstance(each, Finished)] == [told]
