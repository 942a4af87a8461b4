"""Evaluators that break things, in real processes: each costs its own attempt and nothing else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import faulty_evaluators as faulty
import psutil
import pytest

from morphml.engines import (
    Cancelled,
    Failed,
    Finished,
    Logged,
    Order,
    Reported,
    Started,
    Stopped,
    Succeeded,
)
from morphml.engines.local import LocalEngine
from morphml.engines.local.attempt import Patience
from morphml.scheduling.failures import FailureKind
from morphml.testing.engine_probe import EngineProbe

QUICK = Patience(cancel_s=0.2, grace_s=0.5)
#: Of attempts that are to end by themselves, however busy the machine is.
PATIENT = Patience(cancel_s=60.0, grace_s=60.0)
GOOD = Succeeded(metrics={"score": 0.5})


@pytest.fixture
def engine(no_torch: None) -> Iterator[LocalEngine]:
    with LocalEngine(2, patience=QUICK) as engine:
        yield engine


@pytest.fixture
def probe(engine: LocalEngine) -> EngineProbe:
    return EngineProbe(engine)


def failed(outcome: object, kind: FailureKind, *words: str) -> Failed:
    assert isinstance(outcome, Failed), outcome
    assert outcome.kind is kind, outcome
    for word in words:
        assert word in outcome.message, outcome
    return outcome


def still_works(probe: EngineProbe) -> None:
    """Both slots take attempts again."""
    probe.prepare(faulty.good)
    tokens = [probe.submit() for _ in range(4)]
    probe.finish()
    assert [probe.finished(token).outcome for token in tokens] == [GOOD] * 4
    probe.pump(lambda: probe.engine.ready == 2)


def gone(pids: list[int]) -> list[int]:
    """Those of the processes that are still there after a minute."""
    end = time.monotonic() + 60.0
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_evaluator_that_exits_is_a_crash_with_its_exit_code(probe: EngineProbe) -> None:
    probe.prepare(faulty.exit_process)
    token = probe.submit(1.0)
    probe.finish()
    failed(probe.finished(token).outcome, FailureKind.CRASH, "exit code 7")
    probe.pump(lambda: len(probe.deaths()) == 1)
    still_works(probe)


def test_evaluator_that_segfaults_is_a_crash_and_its_stack_is_in_the_log(
    probe: EngineProbe,
) -> None:
    probe.prepare(faulty.segfault)
    token = probe.submit()
    probe.finish()
    failed(probe.finished(token).outcome, FailureKind.CRASH, "SIGSEGV")
    assert "in segfault" in probe.output(token, "stderr")
    still_works(probe)


def test_every_attempt_ends_once_when_half_of_them_crash(probe: EngineProbe) -> None:
    probe.prepare(faulty.exit_process)
    tokens = {probe.submit(i % 2): i % 2 for i in range(20)}
    probe.finish(60)
    for token, crashes in tokens.items():
        outcome = probe.finished(token).outcome
        assert failed(outcome, FailureKind.CRASH) if crashes else outcome == GOOD
    assert len(probe.deaths()) == 10


def test_child_killed_by_hand_fails_its_attempt_as_a_crash(
    probe: EngineProbe, engine: LocalEngine
) -> None:
    probe.prepare(faulty.hang)
    token = probe.submit()
    probe.pump(lambda: bool(probe.of(Started)) and len(engine.processes) == 3)
    before = set(engine.processes)
    for pid in engine.processes[1:]:
        os.kill(pid, signal.SIGKILL)
    probe.finish()
    failed(probe.finished(token).outcome, FailureKind.CRASH, "SIGKILL")
    probe.pump(lambda: len(probe.deaths()) == 2)
    still_works(probe)
    assert before & set(engine.processes) == {engine.processes[0]}


def test_fork_server_killed_by_hand_blames_nothing_that_ran_and_all_start_anew(
    probe: EngineProbe, engine: LocalEngine, tmp_path: Path
) -> None:
    probe.prepare(faulty.Lingerer(str(tmp_path), "hang"))
    tokens = [probe.submit(), probe.submit()]
    probe.pump(lambda: len(probe.of(Started)) == 2 and (tmp_path / "noted").exists())
    before = engine.processes
    os.kill(before[0], signal.SIGKILL)
    probe.finish()
    for token in tokens:
        failed(probe.finished(token).outcome, FailureKind.LOST_WORKER, "fork server")
    still_works(probe)
    assert not set(before) & set(engine.processes)
    assert gone(list(before)) == []


@pytest.mark.parametrize(
    "evaluator",
    [faulty.hang, faulty.hang_in_c, faulty.ignore_sigterm, faulty.swallow_everything],
)
def test_evaluator_that_hangs_ends_at_its_time_limit(probe: EngineProbe, evaluator: object) -> None:
    probe.prepare(evaluator)
    token = probe.submit(time_limit_s=0.3)
    begun = time.monotonic()
    probe.finish()
    assert time.monotonic() - begun < 60
    end = probe.finished(token)
    failed(end.outcome, FailureKind.TIME_LIMIT, "0.3 s")
    assert 0.3 <= end.duration_s < 60
    still_works(probe)


def test_time_limit_tells_where_the_evaluator_was(no_torch: None) -> None:
    with LocalEngine(1, patience=PATIENT) as engine:
        probe = EngineProbe(engine)
        probe.prepare(faulty.hang)
        outcome = failed(probe.run(time_limit_s=2.0), FailureKind.TIME_LIMIT)
    assert "time.sleep(600)" in outcome.traceback


def test_attempt_within_its_time_limit_is_left_alone(probe: EngineProbe) -> None:
    probe.prepare(faulty.good)
    assert probe.run(time_limit_s=60.0, memory_limit_bytes=4 << 30) == GOOD


@pytest.mark.parametrize(
    "evaluator", [faulty.hang, faulty.hang_in_c, faulty.ignore_sigterm, faulty.obey]
)
def test_cancelled_attempt_ends_whether_it_obeys_or_not(
    probe: EngineProbe, evaluator: object
) -> None:
    probe.prepare(evaluator)
    token = probe.submit()
    probe.pump(lambda: bool(probe.of(Started)))
    probe.engine.order(token, Order.CANCEL)
    begun = time.monotonic()
    probe.finish()
    assert time.monotonic() - begun < 60
    assert probe.finished(token).outcome == Cancelled()
    still_works(probe)


def test_cancelled_attempt_that_obeys_keeps_its_process(no_torch: None) -> None:
    with LocalEngine(2, patience=PATIENT) as engine:
        probe = EngineProbe(engine)
        probe.prepare(faulty.obey)
        token = probe.submit()
        probe.pump(lambda: bool(probe.of(Reported)) and engine.ready == 2)
        before = engine.processes
        engine.order(token, Order.CANCEL)
        probe.finish()
        assert engine.processes == before
        assert probe.deaths() == []


@pytest.mark.parametrize("evaluator", [faulty.obey, faulty.obey_softly])
def test_stopped_attempt_gives_the_metrics_it_has(probe: EngineProbe, evaluator: object) -> None:
    probe.prepare(evaluator)
    token = probe.submit()
    probe.pump(lambda: len(probe.of(Reported)) >= 3)
    probe.engine.order(token, Order.STOP)
    probe.finish()
    last = probe.of(Reported)[-1]
    assert probe.finished(token).outcome == Stopped(metrics=last.metrics)
    assert last.step < 5_000


def test_evaluator_that_exceeds_its_memory_is_killed(probe: EngineProbe) -> None:
    probe.prepare(faulty.eat_memory)
    token = probe.submit(memory_limit_bytes=400 * faulty.MEBI)
    probe.finish()
    failed(probe.finished(token).outcome, FailureKind.OUT_OF_MEMORY, "limit is 400 MiB")
    still_works(probe)


def test_memory_of_forked_processes_counts(probe: EngineProbe) -> None:
    probe.prepare(faulty.eat_memory_in_forks)
    token = probe.submit(memory_limit_bytes=400 * faulty.MEBI)
    probe.finish()
    failed(probe.finished(token).outcome, FailureKind.OUT_OF_MEMORY)


def test_memory_error_is_out_of_memory(probe: EngineProbe) -> None:
    probe.prepare(faulty.raise_memory_error)
    failed(probe.run(), FailureKind.OUT_OF_MEMORY)
    assert probe.deaths() == []


def test_ten_megabytes_of_binary_output_are_cut_and_decoded(probe: EngineProbe) -> None:
    probe.prepare(faulty.print_binary)
    token = probe.submit()
    probe.finish()
    assert probe.finished(token).outcome == GOOD
    out = probe.output(token, "stdout")
    assert len(out) < 400_000
    assert "bytes left out" in out
    assert "the end of stdout" in out
    assert "from C" in out
    assert "text \\ud800" in out
    assert probe.output(token, "stderr") == "\ufffd sub"


def test_output_belongs_to_the_attempt_that_wrote_it(probe: EngineProbe) -> None:
    probe.prepare(faulty.exit_process)
    tokens = [probe.submit(x) for x in (0, 0, 1, 0)]
    probe.finish()
    assert [probe.output(token, "stdout") for token in tokens] == ["last words"] * 4
    assert len({event.token for event in probe.of(Logged)}) == 4


@pytest.mark.parametrize("then", ["crash", "hang"])
def test_processes_that_a_dead_attempt_started_are_killed(
    probe: EngineProbe, tmp_path: Path, then: str
) -> None:
    probe.prepare(faulty.Lingerer(str(tmp_path), then))
    token = probe.submit(time_limit_s=5.0)  # time to start and note them
    probe.finish()
    kind = FailureKind.CRASH if then == "crash" else FailureKind.TIME_LIMIT
    failed(probe.finished(token).outcome, kind)
    pids = [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]
    assert len(pids) == 4
    assert gone(pids) == []
    still_works(probe)


def test_closed_engine_leaves_no_process(tmp_path: Path) -> None:
    engine = LocalEngine(2)
    probe = EngineProbe(engine)
    probe.prepare(faulty.Lingerer(str(tmp_path), "return"))
    assert probe.run() == GOOD
    pids = [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]
    pids += engine.processes
    assert all(alive(pid) for pid in pids)
    engine.close()
    assert gone(pids) == []


def test_fork_that_returns_into_the_engine_is_ended(probe: EngineProbe) -> None:
    probe.prepare(faulty.fork_and_return_twice)
    for _ in range(3):
        assert probe.run() == Succeeded(metrics={"score": 0.2})
    assert [event.metrics["score"] for event in probe.of(Reported)] == [0.2] * 3


@pytest.mark.parametrize("x", [0.0, 1.0])
def test_child_that_breaks_the_protocol_is_killed(probe: EngineProbe, x: float) -> None:
    probe.prepare(faulty.write_into_pipe)
    token = probe.submit(x)
    probe.finish()
    failed(probe.finished(token).outcome, FailureKind.CRASH, "protocol")
    still_works(probe)


def test_child_that_closes_its_pipe_is_killed(probe: EngineProbe) -> None:
    probe.prepare(faulty.close_everything)
    token = probe.submit()
    probe.finish()
    failed(probe.finished(token).outcome, FailureKind.CRASH, "closed the pipe")
    still_works(probe)


def test_crash_in_setup_is_infrastructure_and_its_output_is_kept(probe: EngineProbe) -> None:
    probe.prepare(faulty.CrashInSetup())
    token = probe.submit()
    probe.finish()
    failed(probe.finished(token).outcome, FailureKind.INFRASTRUCTURE, "exit code 5")
    assert probe.of(Started) == []
    still_works(probe)


def test_hang_in_setup_is_infrastructure(no_torch: None) -> None:
    with LocalEngine(2, patience=replace(QUICK, setup_s=4.0)) as engine:  # enough for a good one
        probe = EngineProbe(engine)
        probe.prepare(faulty.HangInSetup())
        failed(probe.run(), FailureKind.INFRASTRUCTURE, "setup took longer than 4 s")
        still_works(probe)


def test_payload_that_cannot_be_opened_is_infrastructure(probe: EngineProbe) -> None:
    probe.prepare(faulty.CannotBeOpened())
    failed(probe.run(), FailureKind.INFRASTRUCTURE, "not on this machine")


def test_report_does_not_wait_for_an_engine_that_is_busy(
    probe: EngineProbe, tmp_path: Path
) -> None:
    probe.prepare(faulty.Flood(str(tmp_path)))
    token = probe.submit()
    probe.pump(lambda: bool(probe.of(Started)))
    until = time.monotonic() + 120.0
    while not (tmp_path / "reported").exists():  # and nobody takes what it reports
        assert time.monotonic() < until, "a report waits"
        time.sleep(0.02)
    probe.finish()
    assert probe.finished(token).outcome == GOOD
    steps = [event.step for event in probe.of(Reported)]
    assert steps == list(range(20_000))
    assert isinstance(probe.events[-1], Finished)
