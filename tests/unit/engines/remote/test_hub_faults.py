"""What failures and figures mean for the workers of a hub: stories told to its book."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from morphml.engines.port import Assignment, Failed, Finished, Outcome, Started, Succeeded
from morphml.engines.remote.hub.attempt import Attempt, AttemptState, Moment
from morphml.engines.remote.hub.book import Book
from morphml.engines.remote.hub.commands import SendTask
from morphml.engines.remote.hub.settings import HubSettings
from morphml.engines.remote.messages import (
    AttemptName,
    Beat,
    Figures,
    GpuFigures,
    Registration,
    ShutGpu,
)
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.failures import FailureKind

EXPERIMENT = ExperimentId("e1")
BROKEN = Failed(
    kind=FailureKind.USER_ERROR,
    error_type="FileNotFoundError",
    message="no data\nsecond line",
    traceback="Traceback ...",
    digest="d1",
)
WORKED = Succeeded(metrics={"loss": 1.0})


class Story:
    """A book with workers of one slot each, and short words for what happens."""

    def __init__(self, *workers: str, slots: int = 1, gpus: int = 0) -> None:
        self.book = Book(HubSettings(ahead=0.0, most_ahead=0.0))
        self.time = 100.0
        self._beats = count(1)
        self._numbers = count()
        #: The attempts that lie at each worker.
        self.at: dict[str, list[AttemptToken]] = {worker: [] for worker in workers}
        self.book.tick(self.now)
        self.book.drivers.attach(EXPERIMENT)
        for worker in workers:
            registration = Registration(
                worker=worker,
                name=f"box-{worker}",
                morphml_version="1",
                python_version="3",
                slots=slots,
                capabilities={"gpu": float(gpus)} if gpus else {},
            )
            self.book.workers.announce(registration, "peer", self.now)
        self.take()

    @property
    def now(self) -> Moment:
        return Moment(self.time, self.time)

    def take(self) -> None:
        for command in self.book.take().commands:
            if isinstance(command, SendTask):
                self.at[command.worker].append(command.attempt.token)
                started = Started(
                    token=command.attempt.token, worker=f"box-{command.worker}/slot-0", at=self.time
                )
                self.book.workers.event(command.worker, started)

    def submit(
        self,
        attempts: int = 1,
        *,
        avoid: tuple[str, ...] = (),
        needs: dict[str, float] | None = None,
    ) -> None:
        for _ in range(attempts):
            number = next(self._numbers)
            token = AttemptToken(f"{number:032x}")
            assignment = Assignment(
                token=token,
                experiment=EXPERIMENT,
                number=number,
                vector=(),
                seed=0,
                avoid=avoid,
                requirements=needs or {},
            )
            self.book.drivers.submit([assignment], self.now)
        self.take()

    def end(self, worker: str, outcome: Outcome) -> None:
        token = self.at[worker].pop(0)
        name = AttemptName(
            token=token, owner=EXPERIMENT, number=self.book.ledger.attempts[token].name.number
        )
        end = Finished(
            token=token, outcome=outcome, worker=f"{worker}/0", started_at=0, duration_s=0.1
        )
        self.book.workers.result(worker, name, end, self.now)
        self.take()

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.25)):
            self.time += 0.25
            if self.time % 1.0 == 0.0:
                for worker in self.at:
                    self.beat(worker)
            self.book.tick(self.now)
            self.take()

    def beat(self, worker: str, figures: Figures | None = None, *shut: int) -> None:
        beat = Beat(
            index=next(self._beats),
            running=tuple(self.at[worker]),
            figures=figures or Figures(),
            shut_gpus=tuple(ShutGpu(index=index, why="it is too hot: 95 C") for index in shut),
            shut_slots=len(shut),
        )
        self.book.workers.heard(worker, self.now)
        self.book.workers.beat(worker, beat, self.now)
        self.take()

    def barred(self, worker: str) -> str:
        return self.book.ledger.roster.members[worker].why_barred

    def break_three_times(self, worker: str) -> None:
        for _ in range(3):
            assert not self.barred(worker)
            self.end(worker, BROKEN)


def test_worker_that_fails_fastest_does_not_eat_the_queue() -> None:
    story = Story("bad", "good")
    story.submit(50)
    story.break_three_times("bad")
    assert story.at["bad"] == []
    assert story.barred("bad") == "shut off after 3 failures in a row: FileNotFoundError: no data"
    assert story.barred("good") == ""
    for _ in range(10):
        story.end("good", WORKED)
    assert story.at["bad"] == []
    assert story.book.ledger.scheduler.fleet.slots() == 1


def test_worker_gets_one_probe_after_its_time_and_all_its_slots_after_a_good_one() -> None:
    story = Story("bad", "good", slots=4)
    story.submit(50)
    for _ in range(3):
        story.end("bad", BROKEN)
    for _ in range(len(story.at["bad"])):
        story.end("bad", BROKEN)  # what was under way when it was shut off
    assert story.at["bad"] == []
    story.wait(29.0)
    assert story.at["bad"] == []
    story.wait(1.5)
    assert len(story.at["bad"]) == 1
    assert story.barred("bad").startswith("on trial after")
    story.end("bad", WORKED)
    assert story.barred("bad") == ""
    assert len(story.at["bad"]) == 4


def test_failed_probe_shuts_the_worker_off_again() -> None:
    story = Story("bad", "good")
    story.submit(50)
    story.break_three_times("bad")
    story.wait(30.5)
    story.end("bad", BROKEN)
    assert story.barred("bad").startswith("shut off after 4 failures")
    story.wait(31.0)
    assert story.at["bad"] == []


def test_broken_worker_that_is_left_alone_is_tried_at_once() -> None:
    story = Story("bad", "good")
    story.submit(50)
    story.break_three_times("bad")
    story.book.workers.left("good", story.now)
    story.wait(0.5)
    assert len(story.at["bad"]) == 1


def test_only_worker_is_never_shut_off() -> None:
    story = Story("only")
    story.submit(30)
    for _ in range(20):
        story.end("only", BROKEN)
    assert story.barred("only") == ""


def test_retry_waits_for_a_busy_worker_rather_than_go_to_one_whose_last_attempt_failed() -> None:
    story = Story("bad", "good")
    story.submit(2)
    story.end("bad", BROKEN)
    story.submit(1, avoid=("box-bad/slot-0",))
    story.wait(10.0)
    assert story.at["bad"] == []
    story.end("good", WORKED)
    assert len(story.at["good"]) == 1


def test_death_of_a_worker_with_one_attempt_may_be_its_fault_and_with_two_is_nobodys() -> None:
    for slots, alone in ((1, True), (2, False)):
        story = Story("w", slots=slots)
        story.submit(slots)
        story.book.drivers.collect(EXPERIMENT)
        story.book.workers.broke("w", story.now)
        story.wait(5.0)
        ends = [e for e in story.book.drivers.collect(EXPERIMENT) if isinstance(e, Finished)]
        assert len(ends) == slots
        for end in ends:
            assert isinstance(end.outcome, Failed)
            assert (end.outcome.kind, end.outcome.alone) == (FailureKind.LOST_WORKER, alone)


def test_worker_with_a_full_disk_keeps_what_it_runs_and_gets_nothing_more() -> None:
    story = Story("sick", "well")
    story.submit(2)
    story.beat("sick", Figures(disk_free=1e6))
    assert story.barred("sick") == "drained: its disk is full: 1 MiB left"
    assert len(story.at["sick"]) == 1
    story.end("sick", WORKED)
    story.submit(3)
    assert story.at["sick"] == []
    story.beat("sick", Figures(disk_free=1e12))
    assert story.barred("sick") == ""
    assert len(story.at["sick"]) == 1


def test_failures_on_one_gpu_of_several_leave_the_worker_its_work() -> None:
    story = Story("bad", "good", slots=4, gpus=4)
    story.submit(60)
    for _ in range(8):
        story.end("bad", replace(BROKEN, gpus="3"))
    assert story.barred("bad") == ""
    story.end("bad", replace(BROKEN, gpus="2"))  # so it is no fault of that GPU
    assert story.barred("bad").startswith("shut off after 9 failures")


def test_only_gpu_of_a_worker_is_the_worker() -> None:
    story = Story("bad", "good", slots=1, gpus=1)
    story.submit(50)
    for _ in range(3):
        story.end("bad", replace(BROKEN, gpus="0"))
    assert story.barred("bad").startswith("shut off after 3 failures")


def test_worker_gets_less_work_while_one_of_its_gpus_is_shut_and_none_while_all_are() -> None:
    story = Story("w", slots=2, gpus=2)
    story.beat("w", None, 1)
    (view,) = story.book.views({})
    assert [str(gpu) for gpu in view.shut_gpus] == ["GPU 1 gets no work: it is too hot: 95 C"]
    story.submit(3, needs={"gpu": 1.0})
    assert len(story.at["w"]) == 1
    story.beat("w")
    assert len(story.at["w"]) == 2
    story.beat("w", None, 0, 1)
    assert story.barred("w") == "none of its GPUs can be used"
    story.end("w", WORKED)
    assert len(story.at["w"]) == 1
    story.beat("w")
    assert (story.barred("w"), len(story.at["w"])) == ("", 2)


def test_heat_of_gpus_is_kept_in_the_history_and_left_to_their_worker_to_judge() -> None:
    story = Story("hot", "well")
    gpu = GpuFigures(index=0, model="G", percent=99.0, memory_percent=50.0, temperature_c=95.0)
    for _ in range(12):
        story.time += 1.0
        story.beat("hot", Figures(cpu_percent=5.0, gpus=(gpu, replace(gpu, temperature_c=40.0))))
    assert story.barred("hot") == ""
    history = story.book.ledger.health.history("hot")
    assert history["gpu_temperature_c"] == [95.0, 95.0]
    assert history["at"] == [101.0, 111.0]


def test_two_reasons_must_both_go_before_work_comes() -> None:
    story = Story("bad", "good")
    story.submit(50)
    story.break_three_times("bad")
    story.beat("bad", Figures(disk_free=1e6))
    assert story.barred("bad").count(";") == 1
    story.beat("bad", Figures(disk_free=1e12))
    assert story.barred("bad").startswith("shut off")


def test_attempt_that_was_killed_is_no_word_about_its_worker() -> None:
    story = Story("w", "other")
    story.submit(2)
    token = story.at["w"][0]
    story.book.drivers.kill([token], story.now)
    attempt: Attempt = story.book.ledger.attempts[token]
    assert attempt.state is AttemptState.KILLED
    story.end("w", BROKEN)
    assert not story.book.ledger.faults.doubts("w")
