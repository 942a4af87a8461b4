"""A worker whose masters come and go: nothing is executed twice, nothing is lost."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

import pytest
from tests.integration.engines.remote.scripted import eventually
from tests.integration.engines.remote.scripted_master import (
    ScriptedMaster,
    context,
    kill,
    task,
    token_of,
)
from tests.integration.engines.remote.worker_processes import Workers

from morphml.engines.remote.access import ClientAccess
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.worker.dialling import Dialling
from morphml.engines.remote.worker.happenings import Greeting
from morphml.engines.remote.worker.link import Link


def registration(master: ScriptedMaster, index: int = 0) -> pb.Registration:
    return master.of("registration")[index].registration


def test_worker_comes_back_to_a_restarted_master_with_all_that_it_has(workers: Workers) -> None:
    tasks = [task(number) for number in range(5)]
    early, soon, late, queued, last_one = map(token_of, tasks)
    with ScriptedMaster() as first:
        first.acknowledges = False
        worker = workers.start(first.port, slots=2)
        worker.let(0)
        first.wait_for("registration")
        first.send(context("gated"), *tasks)
        first.wait(lambda: len(first.of("started")) == 3)
        first.wait_for("result", 1)
        first.kill()
    # Trial 1 ends while nobody listens, trial 3 runs, and its end is known when trial 4 begins.
    worker.let(1, 3)
    eventually(lambda: len(worker.lines("began")) == 5)
    with ScriptedMaster(first.port) as second:
        second.wait_for("registration")
        told = registration(second)
        second.wait_for("started", 2)
        worker.let(2, 4)
        second.wait(lambda: len(second.ends()) == 5)
        second.wait_for("beat", len(second.of("beat")) + 3)
        last = second.of("beat")[-1].beat
    assert told.worker_id == registration(first).worker_id
    assert {each.token for each in told.attempts} == {late, last_one}
    assert {each.token for each in told.results} == {early, soon, queued}
    assert Counter(each.attempt.token for each in second.results()) == Counter(map(token_of, tasks))
    assert sorted(number for number, *_ in worker.lines("began")) == ["0", "1", "2", "3", "4"]
    assert {each.started.token for each in second.of("started")} == {late, last_one}
    assert len(second.of("started")) == 2
    assert not (last.running or last.queued or last.unacknowledged)


def test_acknowledged_results_are_offered_again_to_another_store(workers: Workers) -> None:
    tasks = [task(number) for number in range(3)]
    with ScriptedMaster(store="one") as first:
        workers.start(first.port)
        first.wait_for("registration")
        first.send(context("evaluate"), *tasks)
        first.wait_for("result", 3)
        first.wait_for("beat", len(first.of("beat")) + 2)
        first.kill()
    with ScriptedMaster(first.port, session="m2", store="one") as same:
        same.wait_for("beat", 3)
        assert not same.results()
        assert not registration(same).results
        same.kill()
    with ScriptedMaster(first.port, session="m3", store="two") as other:
        other.wait_for("result", 3)
        other.wait_for("beat", len(other.of("beat")) + 2)
        assert set(other.ends()) == set(map(token_of, tasks))
        assert len(other.results()) == 3


def test_acknowledged_results_are_forgotten_after_their_time(workers: Workers) -> None:
    with ScriptedMaster(store="one") as first:
        workers.start(first.port, keep_acknowledged_s=0.3)
        first.wait_for("registration")
        first.send(context("evaluate"), task(0))
        first.wait_for("result")
        first.wait_for("beat", len(first.of("beat")) + 5)
        first.kill()
    with ScriptedMaster(first.port, store="two") as other:
        other.wait_for("beat", 3)
        assert not other.results()


def test_master_that_falls_silent_is_left_for_the_next_one(workers: Workers) -> None:
    with ScriptedMaster() as first, ScriptedMaster(session="m2") as second:
        first.patience_s = 4.0
        worker = workers.start(first.port, second.port, slots=1)
        first.wait_for("registration")
        running = task(0)
        first.send(context("gated"), running)
        first.wait_for("started")
        first.answers_beats = False
        left = second.wait_for("registration")
        worker.let(0)
        second.wait_for("result")
        assert left > 2.0
        assert [each.token for each in registration(second).attempts] == [token_of(running)]
        assert list(second.ends()) == [token_of(running)]
    assert len(worker.lines("began")) == 1


def test_verdict_at_reconnect_kills_what_another_has_got(workers: Workers) -> None:
    tasks = [task(0), task(1)]
    fenced, kept = map(token_of, tasks)
    with ScriptedMaster() as first:
        worker = workers.start(first.port, slots=2)
        first.wait_for("registration")
        first.send(context("gated"), *tasks)
        first.wait_for("started", 2)
        first.wait(lambda: len(worker.lines("began")) == 2)
        first.kill()
    ((pid,),) = ([pid] for number, pid, _ in worker.lines("began") if number == "0")
    with ScriptedMaster(first.port, kills=[fenced]) as second:
        worker.let(1, 2)
        second.wait_for("result")
        second.send(task(2))
        second.wait(lambda: len(second.ends()) == 2)
        second.wait_for("beat", len(second.of("beat")) + 2)
        assert fenced not in second.ends()
        assert kept in second.ends()
        assert worker.loses(pid, 30.0)
        assert worker.lines("ended") and "0" not in {each[0] for each in worker.lines("ended")}


def test_verdict_ends_an_attempt_that_hears_nothing(workers: Workers) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port, slots=1)
        master.wait_for("registration")
        deaf, after = task(0), task(1, 0.0, experiment="other")
        master.send(context("deaf"), deaf)
        master.wait(lambda: bool(worker.lines("began")))
        ((_, pid, _),) = worker.lines("began")
        master.send(kill(token_of(deaf)), context("evaluate", experiment="other"), after)
        master.wait_for("result")
        assert list(master.ends()) == [token_of(after)]
        assert worker.loses(pid, 0.0)


def test_worker_waits_for_its_first_master(workers: Workers) -> None:
    with ScriptedMaster() as placeholder:
        port = placeholder.port
        placeholder.kill()
    worker = workers.start(port)
    eventually(lambda: "is not reached" in worker.said())
    time.sleep(1.0)  # it tries again and again
    with ScriptedMaster(port) as master:
        master.wait_for("registration")
    assert worker.said().count("is not reached") <= 2, "the same trouble is told once"


def test_call_that_ended_before_the_worker_introduced_itself_is_dialled_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ScriptedMaster() as placeholder:
        port = placeholder.port
    greetings: list[float] = []

    async def live() -> None:
        loop = asyncio.get_running_loop()

        def deliver(news: object) -> None:
            if isinstance(news, Greeting):
                greetings.append(time.monotonic())
                loop.call_later(0.2, link.greet, pb.Registration())
                if len(greetings) == 4:
                    link.close(0.0)

        dialling = Dialling([f"127.0.0.1:{port}"], (0.01, 0.01), random.Random(0))
        link = Link(ClientAccess(), dialling, 5.0, deliver)
        loop.call_later(60.0, link.close, 0.0)
        await link.run()

    asyncio.run(live())
    assert len(greetings) >= 4
    assert "unknown way" not in caplog.text
