"""Which workers are shut off for their failures, and how they come back."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling import FailureKind
from morphml.scheduling.breaker import BreakerRule, BreakerState
from morphml.scheduling.faults import FaultToleranceManager, WorkerFaultRule
from morphml.scheduling.faults.chance import surprising_row
from morphml.scheduling.faults.events import (
    AwaitProbe,
    Broke,
    CloseBreaker,
    FaultCommand,
    Left,
    Needed,
    OpenBreaker,
    Probe,
    Sent,
    Ticked,
    Withdrew,
    Worked,
)

K = FailureKind
RULE = WorkerFaultRule(breaker=BreakerRule(threshold=3, cool_s=30.0))


class Story:
    """A manager, and short words for what happens to it."""

    def __init__(self) -> None:
        self.manager = FaultToleranceManager(workers=RULE)
        self._tokens = 0

    def token(self) -> AttemptToken:
        self._tokens += 1
        return AttemptToken(f"t{self._tokens}")

    def broke(
        self,
        worker: str,
        evidence: str = "no data",
        *,
        token: AttemptToken | None = None,
        at: float = 0.0,
        kind: FailureKind = K.USER_ERROR,
        elsewhere: bool = True,
        part: str = "",
    ) -> list[FaultCommand]:
        return self.manager.step(
            Broke(
                worker=worker,
                token=token or self.token(),
                at=at,
                kind=kind,
                experiment=ExperimentId("e"),
                evidence=evidence,
                lasted_s=0.1,
                error=f"ValueError: {evidence}",
                elsewhere=elsewhere,
                part=part,
            )
        )

    def worked(self, worker: str, times: int = 1) -> list[FaultCommand]:
        done = []
        for _ in range(times):
            done += self.manager.step(Worked(worker=worker, token=self.token(), at=0.0))
        return done

    def opened(self, worker: str = "bad") -> None:
        for _ in range(3):
            self.broke(worker)
        assert self.state(worker) is BreakerState.OPEN

    def probing(self, worker: str = "bad", at: float = 30.0) -> AttemptToken:
        assert self.manager.step(Ticked(at=at)) == [Probe(worker=worker)]
        token = self.token()
        sent = self.manager.step(Sent(worker=worker, token=token, at=at))
        assert sent == [AwaitProbe(worker=worker)]
        return token

    def state(self, worker: str) -> BreakerState:
        return self.manager.workers.state(worker)


def test_worker_that_fails_three_times_in_a_row_is_shut_off_with_its_error() -> None:
    story = Story()
    assert story.broke("bad") == story.broke("bad") == []
    assert story.manager.workers.doubts("bad")
    why = "3 failures in a row: ValueError: no data"
    assert story.broke("bad", at=5.0) == [OpenBreaker(worker="bad", until=35.0, why=why)]
    assert not story.manager.workers.admits("bad")
    assert story.manager.workers.why("bad") == why


def test_success_between_failures_begins_the_row_anew() -> None:
    story = Story()
    for _ in range(10):
        assert story.broke("w") == story.broke("w") == story.worked("w") == []
    assert not story.manager.workers.doubts("w")


def test_error_that_others_show_as_well_is_held_against_nobody() -> None:
    story = Story()
    story.broke("a")
    story.broke("a")
    for _ in range(20):
        assert story.broke("b") == story.broke("a") == []
    assert not story.manager.workers.doubts("a")


def test_second_broken_worker_is_shut_off_though_the_first_showed_the_same_error() -> None:
    story = Story()
    story.opened("bad")
    story.worked("good", 5)
    story.opened("worse")
    assert [each.id for each in story.manager.workers.shut()] == ["bad", "worse"]
    assert story.manager.workers.admits("good")


def test_last_worker_that_could_run_the_work_is_never_shut_off() -> None:
    story = Story()
    for _ in range(50):
        assert story.broke("only", elsewhere=False) == []


@pytest.mark.parametrize("kind", [K.TIME_LIMIT, K.PREEMPTED, K.LOST_WORKER])
def test_time_limits_and_losses_are_no_fault_of_the_worker(kind: FailureKind) -> None:
    story = Story()
    for _ in range(50):
        assert story.broke("w", kind=kind) == []


def test_crash_of_one_task_on_two_workers_is_that_tasks_own() -> None:
    story = Story()
    for worker in ("a", "b") * 10:
        story.broke(worker, "task 7", kind=K.CRASH)
    assert not story.manager.workers.doubts("a")
    assert not story.manager.workers.doubts("b")


def test_where_most_architectures_fail_everywhere_a_row_of_three_shuts_nobody_off() -> None:
    story = Story()
    for number in range(30):
        story.worked("b") if number % 3 == 0 else story.broke("b", f"b{number}", kind=K.CRASH)
    row = [story.broke("a", f"a{n}", kind=K.CRASH) for n in range(surprising_row(20, 30, 1e-3))]
    assert row[:-1] == [[]] * (len(row) - 1)
    assert len(row) > 15
    assert isinstance(row[-1][0], OpenBreaker)


def test_one_probe_at_a_time_and_its_success_brings_the_worker_back() -> None:
    story = Story()
    story.opened()
    assert story.manager.step(Ticked(at=29.0)) == []
    token = story.probing()
    assert not story.manager.workers.admits("bad")
    assert story.manager.step(Worked(worker="bad", token=token, at=31.0)) == [
        CloseBreaker(worker="bad")
    ]
    assert story.manager.workers.admits("bad")
    assert story.manager.workers.why("bad") == ""


def test_failed_probe_shuts_the_worker_off_for_twice_as_long() -> None:
    story = Story()
    story.opened()
    token = story.probing()
    (again,) = story.broke("bad", token=token, at=30.0)
    assert isinstance(again, OpenBreaker)
    assert again.until == 90.0


def test_what_began_before_the_breaker_opened_decides_nothing() -> None:
    story = Story()
    story.opened()
    token = story.probing()
    assert story.worked("bad") == story.broke("bad") == []
    assert story.state("bad") is BreakerState.HALF_OPEN
    assert story.manager.step(Worked(worker="bad", token=token, at=31.0)) != []


def test_probe_that_was_cancelled_makes_room_for_another() -> None:
    story = Story()
    story.opened()
    token = story.probing()
    assert story.manager.step(Withdrew(worker="bad", token=token, at=31.0)) == [Probe(worker="bad")]
    assert story.manager.workers.admits("bad")


def test_probe_that_outlives_what_failed_by_far_is_taken_for_a_success() -> None:
    story = Story()
    story.opened()
    story.probing()
    assert story.manager.step(Ticked(at=34.9)) == []
    assert story.manager.step(Ticked(at=35.0)) == [CloseBreaker(worker="bad")]


def test_worker_that_alone_is_left_gets_a_probe_before_its_time() -> None:
    story = Story()
    story.opened()
    assert story.manager.step(Needed(worker="bad", at=1.0)) == [Probe(worker="bad")]


def test_worker_that_left_is_forgotten() -> None:
    story = Story()
    story.opened()
    story.manager.step(Left(worker="bad"))
    assert story.manager.workers.admits("bad")
    assert list(story.manager.workers.shut()) == []


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["broke", "worked", "sent", "tick"])),
        max_size=200,
    )
)
def test_counts_and_probes_hold_in_any_order(events: list[tuple[str, str]]) -> None:
    story = Story()
    now, under_way = 0.0, {}
    for worker, what in events:
        now += 7.0
        if what == "sent" and story.manager.workers.admits(worker):
            under_way[worker] = story.token()
            story.manager.step(Sent(worker=worker, token=under_way[worker], at=now))
        elif what == "broke":
            others_open = any(story.state(w) is BreakerState.CLOSED for w in set("abc") - {worker})
            token = under_way.pop(worker, None)
            story.broke(worker, worker, token=token, at=now, elsewhere=others_open)
        elif what == "worked":
            token = under_way.pop(worker, None) or story.token()
            story.manager.step(Worked(worker=worker, token=token, at=now))
        else:
            story.manager.step(Ticked(at=now))
        shut = {each.id for each in story.manager.workers.shut()}
        for each in "abc":
            assert (each in shut) == (story.state(each) is not BreakerState.CLOSED)
        assert len(shut) < 3  # somebody always works on
    for each in "abc":
        story.manager.step(Left(worker=each))
    assert story.manager.workers._failed == story.manager.workers._ended == 0


def test_failures_of_one_part_alone_do_not_shut_its_worker_off() -> None:
    story = Story()
    for _ in range(20):
        assert story.broke("bad", part="gpu 3") == []
    assert story.state("bad") is BreakerState.CLOSED
    [opened] = story.broke("bad", part="gpu 4")  # so it is no fault of that part
    assert isinstance(opened, OpenBreaker)


def test_row_of_parts_begins_anew_with_what_works() -> None:
    story = Story()
    for _ in range(10):
        story.broke("bad", part="gpu 3")
        story.worked("bad")
        story.broke("bad", part="gpu 4")
        story.broke("bad", part="gpu 4")
        story.worked("bad")
    assert story.state("bad") is BreakerState.CLOSED
