"""Workers that break off, come back, leave or tell too much."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.integration.engines.remote.scripted import (
    E1,
    PATIENT,
    QUICK,
    Site,
    attempt,
    eventually,
    name_of,
    named,
    running,
    site,
)

from morphml.engines.port import (
    Failed,
    Finished,
    Logged,
    Reported,
    Returned,
    Succeeded,
    WorkerGone,
)
from morphml.engines.remote.hub import HubSettings, HubSettingsError
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.errors import CallerError
from morphml.testing.clock import FakeClock

# --- breaks ---------------------------------------------------------------------------------------


def test_broken_stream_makes_a_worker_suspect_long_before_silence_would(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    running(place, worker, driver)
    began = time.monotonic()
    worker.hang_up()
    eventually(lambda: place.state("w1") == "suspect")
    assert time.monotonic() - began < PATIENT.suspect_after_s
    assert place.hub.slots() == 0
    driver.lane.submit(attempt(number=1))
    assert place.hub.running(E1) != frozenset()
    assert driver.ends() == []


def test_worker_that_is_back_in_time_keeps_what_it_runs(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    task = running(place, worker, driver)
    worker.hang_up()
    back = place.again(worker, attempts=(named(task),))
    eventually(lambda: back.kept() == [task.attempt.token])
    assert place.state("w1") == "busy"
    back.finish(task)
    (end,) = driver.await_ends(1)
    assert isinstance(end.outcome, Succeeded)
    assert (back.tasks(), place.records.asked) == ([], [])


def test_worker_that_is_not_back_is_lost_and_its_attempts_with_it(forgetful: Site) -> None:
    worker, driver = forgetful.worker(slots=3), forgetful.driver()
    started = running(forgetful, worker, driver).attempt.token
    accepted, sent = attempt(number=1), attempt(number=2)
    driver.lane.submit(accepted)
    worker.await_tasks(2)
    worker.beat(running=[started], queued=[accepted.token])
    driver.lane.submit(sent)
    worker.await_tasks(3)
    worker.hang_up()
    ends = {end.token: end for end in driver.await_ends(3)}
    kinds = {token: type(end.outcome).__name__ for token, end in ends.items()}
    assert kinds == {started: "Failed", accepted.token: "Failed", sent.token: "Returned"}
    lost = ends[started].outcome
    assert isinstance(lost, Failed)
    assert (lost.kind, lost.error_type) == ("lost_worker", "WorkerLost")
    assert ends[started].worker == "box-w1/slot-1"
    driver.pump(lambda: driver.of(WorkerGone))
    assert (forgetful.state("w1"), forgetful.hub.slots()) == ("lost", 0)


def test_silent_worker_is_suspect_then_lost_and_its_stream_ends(
    timed: Site, clock: FakeClock
) -> None:
    worker, driver = timed.worker(), timed.driver()
    task = running(timed, worker, driver)
    timed.pass_time(clock, QUICK.suspect_after_s + 0.5)
    assert timed.state("w1") == "suspect"
    worker.beat(running=[task.attempt.token])
    assert timed.state("w1") == "busy"
    timed.pass_time(clock, QUICK.lost_after_s - 0.5)
    assert timed.state("w1") == "suspect"
    driver.quiet()
    timed.pass_time(clock, 1.0)
    (end,) = driver.await_ends(1)
    assert isinstance(end.outcome, Failed)
    code, reason = worker.wait_for_end()
    assert (code, "lost" in reason) == (grpc.StatusCode.UNAVAILABLE, True)


def test_late_result_of_a_lost_worker_counts_when_nobody_knew_of_the_loss(forgetful: Site) -> None:
    worker, driver = forgetful.worker(), forgetful.driver()
    task = running(forgetful, worker, driver)
    worker.hang_up()
    eventually(lambda: forgetful.state("w1") == "lost")
    back = forgetful.again(worker, results=(named(task),))
    back.finish(task)
    back.beat()  # answered when all before it is
    (end,) = driver.await_ends(1)
    assert isinstance(end.outcome, Succeeded)
    driver.lane.acknowledge([end.token])
    eventually(lambda: back.acknowledged() == [end.token])


def test_late_result_after_the_loss_was_stored_is_fenced_out_or_adopted(forgetful: Site) -> None:
    worker, driver = forgetful.worker(), forgetful.driver()
    taken, gone = running(forgetful, worker, driver), running(forgetful, worker, driver, 1)
    worker.hang_up()
    driver.await_ends(2)
    back = forgetful.again(worker, results=(named(taken), named(gone)))
    forgetful.records.adoptable.add(taken.attempt.token)  # type: ignore[arg-type]  # a text is a token
    back.finish(taken, gone)
    driver.quiet(0.3)
    assert forgetful.records.asked == []  # the losses are not stored yet
    driver.lane.acknowledge(driver.ends())
    eventually(lambda: back.acknowledged() == [gone.attempt.token])
    end = driver.await_ends(3)[-1]
    assert (end.token, type(end.outcome)) == (taken.attempt.token, Succeeded)
    driver.quiet()


def test_second_stream_of_a_worker_ends_the_first(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    task = running(place, worker, driver)
    second = place.again(worker, attempts=(named(task),))
    code, reason = worker.wait_for_end()
    assert (code, "another stream" in reason) == (grpc.StatusCode.UNAVAILABLE, True)
    second.finish(task)
    driver.await_ends(1)
    assert place.state("w1") == "idle"
    assert len(place.hub.workers()) == 1


def test_order_given_during_a_break_is_said_when_the_worker_is_back(place: Site) -> None:
    from morphml.engines.port import Order

    worker, driver = place.worker(), place.driver()
    task = running(place, worker, driver)
    worker.hang_up()
    eventually(lambda: place.state("w1") == "suspect")
    driver.lane.order(task.attempt.token, Order.STOP)  # type: ignore[arg-type]  # a text is a token
    back = place.again(worker, attempts=(named(task),))
    eventually(lambda: back.orders() == [(task.attempt.token, "stop")])


def test_task_that_the_worker_never_got_goes_back_when_it_returns_without_it(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    driver.lane.submit(attempt())
    worker.await_tasks(1)
    worker.hang_up()
    back = place.again(worker)
    (end,) = driver.await_ends(1)
    assert end.outcome == Returned()
    assert back.tasks() == []


# --- adoption -------------------------------------------------------------------------------------


def test_attempts_of_another_master_are_adopted_or_killed(place: Site) -> None:
    driver = place.driver()
    mine, foreign, done = attempt(), attempt(number=1), attempt(number=2)
    place.records.adoptable |= {mine.token}
    place.records.stored |= {done.token}
    worker = place.worker(
        attempts=(name_of(mine), name_of(foreign)), results=(name_of(done),), slots=3
    )
    eventually(lambda: worker.kept() == [mine.token])
    eventually(lambda: worker.killed() == [foreign.token])
    assert place.hub.running(E1) == {mine.token}
    worker.start(mine.token)
    task = pb.Task(attempt=pb.AttemptName(token=mine.token, owner=E1, number=0))
    worker.finish(task)
    (end,) = driver.await_ends(1)
    assert end.token == mine.token
    worker.finish(pb.Task(attempt=pb.AttemptName(token=done.token, owner=E1, number=2)))
    eventually(lambda: worker.acknowledged() == [done.token])
    worker.beat(running=[foreign.token])
    assert place.hub.free() == 2  # it holds its slot until it is gone
    worker.beat()
    worker.beat()
    eventually(lambda: place.hub.free() == 3)


def test_adoption_waits_for_the_store_and_loses_no_event(place: Site) -> None:
    place.records.down = True
    driver = place.driver_without_context()
    mine = attempt()
    place.records.adoptable |= {mine.token}
    worker = place.worker(attempts=(name_of(mine),))
    report = pb.Report(token=mine.token, step=4, metrics={"loss": 1.0})
    worker.say(pb.WorkerEvent(report=report))
    worker.finish(pb.Task(attempt=pb.AttemptName(token=mine.token, owner=E1, number=0)))
    driver.quiet(0.3)
    assert worker.killed() == worker.acknowledged() == []
    place.records.down = False
    driver.await_ends(1)
    assert [type(event) for event in driver.events] == [Reported, Finished]


# --- leaving --------------------------------------------------------------------------------------


def test_drained_worker_gets_nothing_more_and_leaves_when_it_is_done(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    task = running(place, worker, driver)
    assert place.hub.drain("w1", 7.0)
    eventually(lambda: [e.drain.grace_s for e in worker.of("drain")] == [7.0])
    driver.lane.submit(attempt(number=1))
    worker.beat(running=[task.attempt.token])
    assert (len(worker.tasks()), place.state("w1"), place.hub.slots()) == (1, "draining", 0)
    assert place.hub.slots(under_way=True) == 1
    other = place.worker("other", slots=3)
    assert (place.hub.slots(), place.hub.slots(under_way=True)) == (3, 4)
    worker.finish(task)
    driver.await_ends(1)
    driver.lane.acknowledge(driver.ends())
    eventually(lambda: worker.acknowledged() == [task.attempt.token])
    assert place.state("w1") == "gone"
    assert not place.hub.drain("nobody")
    other.await_tasks(1)


def test_worker_that_drains_by_itself_gets_nothing_more(place: Site) -> None:
    worker, driver = place.worker(slots=3), place.driver()
    first = running(place, worker, driver)
    queued = attempt(number=1)
    driver.lane.submit(queued)
    worker.await_tasks(2)
    worker.say(
        pb.WorkerEvent(draining=pb.Draining(reason="SIGTERM", grace_s=30)),
        pb.WorkerEvent(returned=pb.Returned(tokens=[queued.token])),
    )
    (end,) = driver.await_ends(1)
    assert end.outcome == Returned()
    driver.lane.submit(attempt(number=2))
    worker.beat(running=[first.attempt.token])
    assert (len(worker.tasks()), place.state("w1")) == (2, "draining")
    worker.finish(first)
    driver.await_ends(2)
    worker.say(pb.WorkerEvent(leaving=pb.Leaving(reason="SIGTERM")))
    eventually(lambda: place.state("w1") == "gone")


def test_leaving_worker_leaves_its_attempts_to_others_at_once(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    running(place, worker, driver)
    worker.say(pb.WorkerEvent(leaving=pb.Leaving(reason="killed")))
    (end,) = driver.await_ends(1)
    assert isinstance(end.outcome, Failed)
    assert place.state("w1") == "gone"


# --- too much -------------------------------------------------------------------------------------


def test_worker_that_tells_too_much_is_read_no_further_and_stays_alive(tmp_path: Path) -> None:
    settings = replace(
        PATIENT,
        max_waiting_events=200,
        max_waiting_logs=50,
        beat_s=0.1,
        suspect_after_s=0.8,
        lost_after_s=1.6,
    )
    # Only this clock can make a worker suspect, so a slow machine cannot.
    clock = FakeClock()
    with site(tmp_path, settings, clock) as place:
        worker, driver = place.worker(), place.driver()
        task = running(place, worker, driver)
        total = 3000
        for step in range(total):
            report = pb.Report(token=task.attempt.token, step=step, metrics={"loss": 1.0})
            log = pb.Log(token=task.attempt.token, stream="log", text="x")
            worker.say(pb.WorkerEvent(report=report), pb.WorkerEvent(log=log))
        worker.finish(task)
        waiting = place.hub._switchboard.book.ledger.groups[E1].events
        eventually(lambda: len(waiting) >= 200, what="too much that waits")
        for _ in range(8):  # more than twice as long as it takes to be lost
            seen = len(worker.of("beat_seen"))
            clock.advance(0.5)
            # The first may have been on its way before; the second is from after.
            eventually(lambda seen=seen: len(worker.of("beat_seen")) >= seen + 2, what="signs")
            assert place.state("w1") == "busy"  # it is heard although it is not read
        assert 200 <= len(waiting) <= 300
        other = place.worker("other")
        other.beat()  # nobody else waits
        driver.await_ends(1)
        assert [event.step for event in driver.of(Reported)] == list(range(total))
        assert len(driver.of(Logged)) < total


def test_master_that_stood_still_does_not_take_its_workers_for_lost(
    timed: Site, clock: FakeClock
) -> None:
    worker, driver = timed.worker(), timed.driver()
    task = running(timed, worker, driver)
    clock.advance(1.2 * QUICK.lost_after_s)
    eventually(lambda: timed.hub.ticked_at == clock.monotonic(), what="a tick")
    assert timed.state("w1") == "busy"
    worker.beat(running=[task.attempt.token])
    assert timed.state("w1") == "busy"
    driver.quiet()


# --- the address ----------------------------------------------------------------------------------


def test_taken_address_is_refused_with_its_name(place: Site, tmp_path: Path) -> None:
    settings = replace(PATIENT, listen=f"127.0.0.1:{place.hub.port}")
    with pytest.raises(CallerError, match=str(place.hub.port)), site(tmp_path, settings):
        pass


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(HubSettingsError, match="suspect_after_s"):
        HubSettings(beat_s=10)
    with pytest.raises(HubSettingsError, match="patience_s"):
        HubSettings(beat_s=2, patience_s=1)
    HubSettings(beat_s=10, suspect_after_s=25, lost_after_s=60, patience_s=25)


def test_health_service_says_that_the_master_serves(place: Site) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{place.hub.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "morphml.worker.v1.MasterService"):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_closed_hub_frees_its_port_and_tells_its_workers(tmp_path: Path) -> None:
    with site(tmp_path) as place:
        worker, port = place.worker(), place.hub.port
    assert worker.wait_for_end()[0] in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
