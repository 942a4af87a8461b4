"""Tasks go out once, results come back once, and the driver learns of it once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import (
    E1,
    E2,
    PATIENT,
    Site,
    attempt,
    eventually,
    site,
)

from morphml.engines.port import (
    Cancelled,
    Failed,
    Finished,
    Logged,
    Order,
    Reported,
    Returned,
    Started,
    Stopped,
    Succeeded,
)
from morphml.engines.remote import wire
from morphml.engines.remote.messages import ContextMessage
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.errors import EvaluatorError, WorkerError
from morphml.ids import new_token


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Site]:
    """A hub that waits only a moment for a task to be accepted."""
    with site(tmp_path, replace(PATIENT, accept_within_s=0.4)) as made:
        yield made


def test_worker_is_welcomed_with_what_it_needs_to_know(place: Site) -> None:
    worker = place.worker(slots=3, capabilities={"gpu": 2, "ssd": 1})
    welcome = worker.of("welcome")[0].welcome
    assert (welcome.master, welcome.protocol, welcome.refusal) == ("ab" * 16, 1, "")
    assert (welcome.beat_s, welcome.patience_s) == (1.0, 4.0)
    (view,) = place.hub.workers()
    assert (view.id, view.name, view.state, view.slots) == ("w1", "box-w1", "idle", 3)
    assert view.capabilities == {"gpu": 2.0, "ssd": 1.0}
    assert (place.hub.slots(), place.hub.free()) == (3, 3)


def test_attempt_goes_out_once_and_its_end_comes_back_once(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    sent = attempt(number=7, vector=(1, None, 0.5), to_epoch=3)
    driver.lane.submit(sent)
    (task,) = worker.await_tasks(1)
    assert wire.task_to_assignment(task) == sent
    (context,) = worker.of("context")
    assert context.context.evaluator == "pkg.module:evaluate"
    worker.accept(sent.token)
    worker.start(sent.token, "box-w1/slot-0")
    metrics = {"score": 0.25}
    report = pb.Report(token=sent.token, step=2, metrics=metrics)
    log = pb.Log(token=sent.token, stream="stdout", text="hello")
    worker.say(pb.WorkerEvent(report=report), pb.WorkerEvent(log=log))
    worker.finish(task, metrics=metrics)
    (end,) = driver.await_ends(1)
    assert end.outcome == Succeeded(metrics=metrics)
    assert (end.worker, end.duration_s) == ("box-w1/slot-1", 0.5)
    assert [type(event) for event in driver.events] == [Started, Reported, Logged, Finished]
    assert worker.acknowledged() == []
    driver.lane.acknowledge([sent.token])
    eventually(lambda: worker.acknowledged() == [sent.token])
    assert place.hub.running(E1) == frozenset()
    assert place.hub.free() == 2
    driver.quiet()


def test_many_tasks_and_acknowledgements_share_messages(place: Site) -> None:
    worker, driver = place.worker(slots=400), place.driver()
    sent = [attempt(number=i) for i in range(400)]
    for each in sent:
        driver.lane.submit(each)
    tasks = worker.await_tasks(400)
    assert worker.tokens() == [each.token for each in sent]
    assert len(worker.of("context")) == 1
    worker.finish(*tasks)
    ends = driver.await_ends(400)
    assert len({end.token for end in ends}) == 400
    before = worker.messages
    driver.lane.acknowledge([end.token for end in ends])
    eventually(lambda: len(worker.acknowledged()) == 400)
    assert worker.messages - before <= 3


def test_result_that_comes_again_is_told_once_and_acknowledged_each_time(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    driver.lane.submit(attempt())
    (task,) = worker.await_tasks(1)
    worker.finish(task, task)
    worker.finish(task)
    driver.await_ends(1)
    driver.quiet()
    driver.lane.acknowledge([driver.ends()[0]])
    eventually(lambda: worker.acknowledged() == [task.attempt.token])
    worker.finish(task)
    eventually(lambda: worker.acknowledged() == [task.attempt.token] * 2)
    driver.quiet()
    assert place.records.asked == []


def test_waiting_attempts_go_out_as_slots_become_free_first_come_first(place: Site) -> None:
    worker, driver = place.worker(slots=2), place.driver()
    sent = [attempt(number=i) for i in range(5)]
    for each in sent:
        driver.lane.submit(each)
    worker.await_tasks(2)
    worker.beat(queued=worker.tokens())
    assert len(worker.tasks()) == 2
    worker.finish(worker.tasks()[1])
    worker.await_tasks(3)
    worker.finish(worker.tasks()[0], worker.tasks()[2])
    worker.await_tasks(5)
    assert worker.tokens() == [each.token for each in sent]


def test_least_used_share_of_slots_goes_first(place: Site) -> None:
    large, small = place.worker("large", slots=4), place.worker("small", slots=2)
    driver = place.driver()
    for number in range(3):
        driver.lane.submit(attempt(number=number))
    eventually(lambda: len(large.tasks()) + len(small.tasks()) == 3)
    assert (len(large.tasks()), len(small.tasks())) == (2, 1)


def test_short_attempts_wait_ahead_at_busy_workers(place: Site) -> None:
    worker, driver = place.worker(slots=2), place.driver()
    for number in range(2):
        driver.lane.submit(attempt(number=number))
    for task in worker.await_tasks(2):
        quick = worker.result(task)
        quick.duration_s = 0.1
        worker.say(pb.WorkerEvent(result=quick))
    driver.await_ends(2)
    for number in range(2, 8):
        driver.lane.submit(attempt(number=number))
    worker.await_tasks(5)
    worker.beat(running=worker.tokens()[2:4], queued=worker.tokens()[4:])
    assert len(worker.tasks()) == 5  # two run, one waits ahead
    (view,) = place.hub.workers()
    assert (view.running, view.queued, view.free) == (2, 1, 0)


def test_orders_reach_the_worker_and_end_what_waits(place: Site) -> None:
    worker, driver = place.worker(slots=1), place.driver()
    first, second, third = attempt(), attempt(number=1), attempt(number=2)
    for each in (first, second, third):
        driver.lane.submit(each)
    worker.await_tasks(1)
    driver.lane.order(first.token, Order.STOP)
    driver.lane.order(second.token, Order.CANCEL)
    driver.lane.order(third.token, Order.STOP)
    driver.lane.order(new_token(), Order.STOP)
    eventually(lambda: worker.orders() == [(first.token, "stop")])
    ends = {end.token: end.outcome for end in driver.await_ends(2)}
    assert ends == {second.token: Cancelled(), third.token: Stopped(metrics={})}
    worker.finish(worker.tasks()[0])
    driver.await_ends(3)
    assert len(worker.tasks()) == 1


def test_task_that_is_not_accepted_in_time_goes_back(hasty: Site) -> None:
    worker, driver = hasty.worker(slots=1), hasty.driver()
    sent = attempt()
    driver.lane.submit(sent)
    worker.await_tasks(1)
    (end,) = driver.await_ends(1)
    assert (end.token, end.outcome) == (sent.token, Returned())
    eventually(lambda: worker.killed() == [sent.token])
    driver.lane.acknowledge([sent.token])
    worker.finish(worker.tasks()[0])
    eventually(lambda: worker.acknowledged() == [sent.token])
    driver.quiet(0.1)
    assert hasty.hub.free() == 1


def test_task_missing_from_two_beats_goes_back_without_blame(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    lost, kept = attempt(), attempt(number=1)
    driver.lane.submit(lost)
    driver.lane.submit(kept)
    worker.await_tasks(2)
    worker.accept(lost.token, kept.token)
    worker.beat(queued=[kept.token])
    driver.quiet(0.05)
    worker.beat(queued=[kept.token])
    (end,) = driver.await_ends(1)
    assert (end.token, end.outcome) == (lost.token, Returned())
    eventually(lambda: worker.killed() == [lost.token])
    assert place.hub.running(E1) == {lost.token, kept.token}


def test_started_attempt_missing_from_two_beats_is_lost_with_blame(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    driver.lane.submit(attempt())
    token = worker.await_tasks(1)[0].attempt.token
    worker.start(token)
    worker.beat(running=[token])
    worker.beat()
    worker.beat(running=[token])
    worker.beat()
    assert driver.ends() == []
    worker.beat()
    (end,) = driver.await_ends(1)
    assert isinstance(end.outcome, Failed)
    assert (end.outcome.kind, end.outcome.error_type) == ("lost_worker", "WorkerLost")


def test_unacknowledged_result_is_not_missing(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    driver.lane.submit(attempt())
    (task,) = worker.await_tasks(1)
    worker.finish(task)
    for _ in range(3):
        worker.beat(unacknowledged=[task.attempt.token])
    (end,) = driver.await_ends(1)
    assert isinstance(end.outcome, Succeeded)
    assert worker.killed() == []


def test_unknown_tokens_in_a_beat_are_killed(place: Site) -> None:
    worker, stranger = place.worker(), new_token()
    worker.beat(running=[stranger])
    assert worker.killed() == [stranger]
    assert place.hub.free() == 2


def test_returned_task_goes_back_and_its_slot_is_free(place: Site) -> None:
    worker, driver = place.worker(slots=1), place.driver()
    driver.lane.submit(attempt())
    (task,) = worker.await_tasks(1)
    worker.accept(task.attempt.token)
    worker.say(pb.WorkerEvent(returned=pb.Returned(tokens=[task.attempt.token])))
    (end,) = driver.await_ends(1)
    assert end.outcome == Returned()
    assert place.hub.free() == 1
    driver.lane.acknowledge([end.token])
    assert place.hub.running(E1) == frozenset()


def test_killed_attempt_holds_its_slot_until_the_worker_lets_go(place: Site) -> None:
    worker, driver = place.worker(slots=1), place.driver()
    sent, following = attempt(), attempt(number=1)
    driver.lane.submit(sent)
    driver.lane.submit(following)
    (task,) = worker.await_tasks(1)
    worker.start(sent.token)
    place.hub.kill([sent.token])
    eventually(lambda: worker.killed() == [sent.token])
    worker.beat(running=[sent.token])
    assert len(worker.tasks()) == 1
    worker.finish(task)
    worker.await_tasks(2)
    assert worker.tokens() == [sent.token, following.token]
    assert worker.acknowledged() == [sent.token]
    driver.events += driver.lane.events(0.1)
    assert driver.ends() == []


# --- contexts ------------------------------------------------------------------------------------


def test_context_is_sent_once_per_stream_and_again_when_it_changes(place: Site) -> None:
    worker, driver = place.worker(slots=9), place.driver()
    for number in range(3):
        driver.lane.submit(attempt(number=number))
    worker.await_tasks(3)
    place.records.contexts[E1] = ContextMessage(experiment=E1, evaluator="other:one")
    driver.lane.prepare(E1, None)  # type: ignore[arg-type]  # a lane does not look at it
    driver.lane.submit(attempt(number=3))
    worker.await_tasks(4)
    kinds = [e.WhichOneof("event") for e in worker.received if e.WhichOneof("event") != "welcome"]
    assert kinds == ["context", "task", "task", "task", "context", "task"]
    assert worker.of("context")[1].context.evaluator == "other:one"


def test_context_that_fits_no_message_is_refused(place: Site) -> None:
    place.records.contexts[E1] = ContextMessage(experiment=E1, pickle=b"x" * (4 << 20))
    lane = place.hub.lane(E1, lambda: 1)
    with pytest.raises(EvaluatorError, match="bytes"):
        lane.prepare(E1, None)  # type: ignore[arg-type]  # a lane does not look at it
    with pytest.raises(WorkerError, match="not prepared"):
        lane.submit(attempt())


def test_lane_refuses_what_was_not_prepared_and_all_after_close(place: Site) -> None:
    driver = place.driver()
    with pytest.raises(WorkerError, match="two"):
        driver.lane.submit(attempt(E2))
    driver.lane.close()
    driver.lane.close()
    with pytest.raises(WorkerError, match="closed"):
        driver.lane.submit(attempt())
    assert driver.lane.events(0.0) == []


# --- files ---------------------------------------------------------------------------------------


def test_attempt_with_an_unreadable_checkpoint_fails_by_the_infrastructure(
    place: Site, tmp_path: Path
) -> None:
    worker, driver = place.worker(), place.driver()
    driver.lane.submit(attempt(checkpoint=tmp_path / "nowhere.pt"))
    (end,) = driver.await_ends(1)
    assert isinstance(end.outcome, Failed)
    assert end.outcome.error_type == "CheckpointMissing"
    assert worker.tasks() == []
