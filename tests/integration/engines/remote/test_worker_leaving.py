"""A worker that leaves, or is killed: what has not begun goes back, what ran is accounted for."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
from tests.integration.engines.remote.scripted_master import (
    ScriptedMaster,
    context,
    outcomes,
    task,
    token_of,
)
from tests.integration.engines.remote.worker_processes import Workers

from morphml.engines.remote.proto import worker_pb2 as pb


def kinds(master: ScriptedMaster, *tokens: str) -> list[str]:
    """What was heard of these kinds of messages, in order."""
    names = ("draining", "returned", "result", "leaving", "started")
    found = [event.WhichOneof("event") or "" for _, event in master.heard]
    return [name for name in found if name in names]


def given_back(master: ScriptedMaster) -> list[str]:
    return [token for each in master.of("returned") for token in each.returned.tokens]


def test_sigterm_gives_back_what_waits_and_finishes_what_runs(workers: Workers) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port, slots=1)
        master.wait_for("registration")
        running, *waiting = [task(number) for number in range(4)]
        master.send(context("gated"), running, *waiting)
        master.wait_for("started")
        worker.signal(signal.SIGTERM)
        master.wait_for("draining")
        master.send(task(9))
        master.wait(lambda: len(given_back(master)) == 4)
        worker.let(0)
        assert worker.wait() == 0
        master.wait_for("leaving")
    returned = given_back(master)
    assert len(returned) == 4
    assert set(map(token_of, waiting)) < set(returned)
    assert list(master.ends()) == [token_of(running)]
    assert outcomes(master.results()) == ["succeeded"]
    assert len(worker.lines("began")) == 1
    heard = kinds(master)
    assert heard.index("draining") < heard.index("returned")
    assert heard[-1] == "leaving"
    assert not list((workers.folder / "files" / "scratch").iterdir())


def test_drain_by_a_master_ends_what_takes_longer_than_its_grace(workers: Workers) -> None:
    """That is the worker's own where the master says none, and the shortest of what it says."""
    with ScriptedMaster() as master:
        worker = workers.start(master.port, slots=2, drain_grace_s=50.0)
        master.wait_for("registration")
        master.send(context("gated"), task(0), task(1))
        master.wait_for("started", 2)
        master.send(pb.MasterEvent(drain=pb.Drain(reason="smaller cluster")))
        master.wait_for("draining")
        worker.let(1)
        master.wait_for("result")
        master.send(pb.MasterEvent(drain=pb.Drain(reason="much smaller", grace_s=1.5)))
        assert worker.wait() == 0
    ends = {each.attempt.number: each for each in master.results()}
    assert ends[1].WhichOneof("outcome") == "succeeded"
    assert ends[0].failed.kind == "preempted"
    assert 1.4 < ends[0].duration_s < 40.0
    assert [each.draining.grace_s for each in master.of("draining")] == [50.0]
    assert "smaller cluster" in master.of("leaving")[0].leaving.reason


def test_leaving_worker_waits_for_a_master_that_stores_its_results(workers: Workers) -> None:
    with ScriptedMaster() as first:
        worker = workers.start(first.port, slots=1, farewell_s=90.0)
        first.wait_for("registration")
        first.send(context("evaluate"), task(0, 1.0))
        first.wait_for("started")
        first.kill()
    worker.signal(signal.SIGTERM)
    time.sleep(2.0)
    with ScriptedMaster(first.port) as second:
        second.wait_for("result")
        assert worker.wait() == 0
        assert second.of("draining")


def test_leaving_worker_does_not_wait_for_ever(workers: Workers) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port, slots=1, farewell_s=0.5)
        master.acknowledges = False
        master.wait_for("registration")
        master.send(context("evaluate"), task(0))
        master.wait_for("result")
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
    assert "1 results that no master has stored" in worker.said()


def test_second_signal_ends_the_worker_at_once(workers: Workers) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port, slots=1, drain_grace_s=300.0)
        master.wait_for("registration")
        master.send(context("gated"), task(0))
        master.wait_for("started")
        children = worker.family()
        worker.signal(signal.SIGINT)
        master.wait_for("draining")
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 128 + signal.SIGTERM  # long before its grace is over
    gone, alive = psutil.wait_procs(children, 30)
    assert not alive
    assert gone


def test_children_die_with_a_killed_worker_and_its_files_with_the_next_one(
    workers: Workers,
) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port, slots=3)
        master.wait_for("registration")
        master.send(context("evaluate"), *[task(number, 60.0) for number in range(3)])
        master.wait_for("started", 3)
        children = worker.family()
        worker.signal(signal.SIGKILL)
        worker.wait()
        _, alive = psutil.wait_procs(children, 30)
        assert not alive
        assert len(children) >= 4
        left = files(workers.folder)
        workers.start(master.port)
        master.wait_for("registration", 2)
        assert len(files(workers.folder)) == 1
        assert files(workers.folder) != left


def files(folder: Path) -> list[str]:
    return [path.name for path in (folder / "files" / "scratch").iterdir()]
