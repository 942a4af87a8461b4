"""Orders, output and trouble of single attempts at a worker."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tests.integration.engines.remote.scripted_master import (
    ScriptedMaster,
    context,
    order,
    score,
    task,
    token_of,
)
from tests.integration.engines.remote.worker_processes import Workers

from morphml.engines.remote.proto import worker_pb2 as pb


def test_order_to_stop_reaches_a_reporting_trial_at_once(workers: Workers) -> None:
    latencies = []
    with ScriptedMaster() as master:
        master.beat_s = 60.0
        worker = workers.start(master.port, slots=1)
        master.wait_for("registration")
        master.send(context("reporting"))
        for number in range(5):
            trial = task(number)
            reports = len(master.of("report"))
            master.send(trial)
            master.wait_for("report", reports + 10)
            sent = time.time()
            master.send(order(token_of(trial), "stop"))
            master.wait(lambda: token_of(trial) in master.ends())  # noqa: B023  # waits here
            _, _, at = worker.lines("ended")[-1]
            latencies.append(float(at) - sent)
            end = master.ends()[token_of(trial)]
            assert end.HasField("stopped")
            assert end.stopped.metrics["score"] >= 10
    assert max(latencies) < master.beat_s / 4, "they wait for nothing"


def test_orders_reach_attempts_that_wait(workers: Workers) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port, slots=1)
        master.wait_for("registration")
        first, stopped, cancelled = task(0), task(1), task(2)
        master.send(context("gated"), first, stopped, cancelled)
        master.wait_for("started")
        master.send(order(token_of(stopped), "stop"), order(token_of(cancelled), "cancel"))
        master.wait_for("result", 2)
        worker.let(0)
        master.wait_for("result", 3)
    ends = master.ends()
    assert ends[token_of(stopped)].HasField("stopped")
    assert ends[token_of(cancelled)].HasField("cancelled")
    assert ends[token_of(first)].HasField("succeeded")
    assert len(worker.lines("began")) == 1


def test_output_comes_in_few_messages_and_whole(workers: Workers) -> None:
    with ScriptedMaster() as master:
        workers.start(master.port, slots=1)
        master.wait_for("registration")
        trial = task(0)
        master.send(context("chatting"), trial)
        master.wait_for("result")
    text = master.logs(token_of(trial))
    assert text == "".join(f"line {line}\n" for line in range(300))
    (result,) = master.results()
    assert len(master.of("log")) <= 10 * result.duration_s + 2
    heard = [event.WhichOneof("event") for _, event in master.heard]
    assert heard.index("log") < heard.index("result")


def test_evaluator_that_cannot_be_loaded_fails_its_tasks_and_no_others(workers: Workers) -> None:
    with ScriptedMaster() as master:
        workers.start(master.port, slots=2)
        master.wait_for("registration")
        bad = [task(number, experiment="bad") for number in range(3)]
        good = [task(number) for number in range(3)]
        master.send(context("nowhere_at_all:evaluate", experiment="bad"), context("evaluate"))
        master.send(*bad, *good)
        master.wait_for("result", 6)
    ends = master.ends()
    for each in bad:
        assert ends[token_of(each)].failed.kind == "infrastructure"
        assert "nowhere_at_all" in ends[token_of(each)].failed.message
    assert [score(ends[token_of(each)])["score"] for each in good] == [0.0, 1.0, 2.0]
    assert not [each for each in master.of("started") if each.started.token in map(token_of, bad)]


def test_child_that_crashes_costs_its_attempt_only(workers: Workers) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port, slots=2)
        master.wait_for("registration")
        dying, living, after = task(0), task(1), task(2)
        master.send(context("gated"), dying, living, after)
        master.wait(lambda: len(worker.lines("began")) == 2)
        (pid,) = (int(pid) for number, pid, _ in worker.lines("began") if number == "0")
        os.kill(pid, signal.SIGKILL)
        worker.let(1, 2)
        master.wait_for("result", 3)
    ends = master.ends()
    assert ends[token_of(dying)].failed.kind == "crash"
    assert ends[token_of(living)].HasField("succeeded")
    assert ends[token_of(after)].HasField("succeeded")


def test_pickle_is_not_run_unless_the_operator_allows_it(workers: Workers, tmp_path: Path) -> None:
    import cloudpickle

    from morphml.testing.engine_evaluators import report_thrice

    message = pb.Context(
        experiment="pickled",
        pickle=cloudpickle.dumps((None, report_thrice)),
        required=["score"],
        digest="p",
    )
    message.space = context("x").context.space
    told = pb.MasterEvent(context=message)
    with ScriptedMaster() as master:
        workers.start(master.port)
        master.wait_for("registration")
        refused = task(0, experiment="pickled")
        master.send(told, refused)
        master.wait_for("result")
        assert "--allow-pickle" in master.ends()[token_of(refused)].failed.message
    with ScriptedMaster() as master:
        workers.start(master.port, allow_pickle=True)
        master.wait_for("registration")
        run = task(0, experiment="pickled")
        master.send(told, run)
        master.wait_for("result")
        assert score(master.ends()[token_of(run)])["extra"] == 1.0


def test_task_of_an_unknown_experiment_goes_back_and_garbage_is_left_out(workers: Workers) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port)
        master.wait_for("registration")
        unknown, known = task(0, experiment="unknown"), task(1)
        master.send(unknown, order("no token", "stop"), order("0" * 32, "stop"))
        master.send(order("0" * 32, "explode"), task(5, token="short"), context("evaluate"), known)
        master.wait_for("result")
        (returned,) = master.of("returned")
        assert list(returned.returned.tokens) == [token_of(unknown)]
        assert list(master.ends()) == [token_of(known)]
    assert "before its context" in worker.said()


def test_same_task_sent_twice_runs_once(workers: Workers) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port)
        master.wait_for("registration")
        trial = task(0, 0.5)
        master.send(context("evaluate"), trial, trial)
        master.wait_for("started")
        master.send(trial)
        master.wait_for("result")
        master.send(trial)
        master.wait_for("result", 2)
        master.wait_for("beat", len(master.of("beat")) + 2)
    assert len(worker.lines("began")) == 1
    assert list(master.ends()) == [token_of(trial)]
