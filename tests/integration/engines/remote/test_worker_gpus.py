"""GPUs of real worker processes at a real hub: who sees which, and never more than there are."""

from __future__ import annotations

import signal
from collections import defaultdict
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import KeptRecords
from tests.integration.engines.remote.test_worker_with_hub import EXPERIMENT, message, serving
from tests.integration.engines.remote.worker_processes import WorkerProcess, Workers

from morphml.engines.port import Failed, Succeeded
from morphml.evaluation.orders import Order
from morphml.scheduling.failures import FailureKind

GPUS = ["cuda:0", "cuda:1"]


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def records(tmp_path: Path) -> KeptRecords:
    kept = KeptRecords(tmp_path / "artifacts")
    kept.contexts[EXPERIMENT] = message("remote_evaluators:seeing")
    return kept


def seen_by(worker: WorkerProcess) -> dict[int, tuple[str, str]]:
    """The GPUs and the device that each trial saw."""
    found = {}
    for line in worker.tally.read_text().splitlines():
        word, number, *_ = line.split()
        if word.startswith("began-"):
            _, visible, device = word.split("-")
            found[int(number)] = (visible, device)
    return found


def busiest(worker: WorkerProcess, needs: list[float]) -> dict[str, float]:
    """The most that lay on each GPU at any moment, by what evaluators noted themselves."""
    moments = []
    for line in worker.tally.read_text().splitlines():
        word, number, _, at = line.split()
        kind, visible, _ = word.split("-")
        share = min(1.0, needs[int(number)])
        # At the same moment ends come first: clocks of notes are coarser than what happens.
        moments.append((float(at), kind == "began", visible, share))
    lies: dict[str, float] = defaultdict(float)
    most: dict[str, float] = defaultdict(float)
    for _, began, visible, share in sorted(moments):
        for gpu in visible.split(","):
            lies[gpu] += share if began else -share
            most[gpu] = max(most[gpu], lies[gpu])
    return most


def test_attempts_of_a_remote_worker_see_what_they_were_given(
    records: KeptRecords, workers: Workers
) -> None:
    needs = [0.5] * 8 + [0.6] * 4 + [2.0] * 2 + [1.0] * 3
    with serving(records) as master:
        worker = workers.start(master.hub.port, slots=4, devices=GPUS)
        master.pump(lambda: master.hub.slots() == 4)
        (view,) = master.hub.workers()
        assert view.capabilities["gpu"] == 2.0
        tokens = [
            master.submit(number, 0.1, requirements={"gpu": amount})
            for number, amount in enumerate(needs)
        ]
        tokens.append(master.submit(len(needs), 0.1, requirements={"gpu": 0.0}))
        ends = master.finish(*tokens)
    assert {type(end.outcome) for end in ends} == {Succeeded}
    seen = seen_by(worker)
    assert len(seen) == len(needs) + 1
    for number, amount in enumerate(needs):
        visible, device = seen[number]
        assert device == "cuda:0"
        assert visible == "0,1" if amount == 2.0 else visible in ("0", "1")
    assert seen[len(needs)] == ("none", "cpu")
    most = busiest(worker, [*needs, 0.0])
    assert {gpu: round(most[gpu], 6) for gpu in ("0", "1")} == {"0": 1.0, "1": 1.0}


def test_gpu_of_a_killed_child_goes_to_the_next_attempt(
    records: KeptRecords, workers: Workers
) -> None:
    with serving(records) as master:
        worker = workers.start(master.hub.port, slots=2, devices=GPUS[:1])
        master.pump(lambda: master.hub.slots() == 2)
        first = master.submit(0, 60.0, requirements={"gpu": 1.0})
        second = master.submit(1, 0.0, requirements={"gpu": 1.0})
        master.pump(lambda: worker.lines("began-0-cuda:0"))
        ((_, child, _),) = worker.lines("began-0-cuda:0")
        master.pump(lambda: master.started())
        assert master.started() == [first]
        (process,) = [each for each in worker.family() if each.pid == int(child)]
        process.send_signal(signal.SIGKILL)
        lost, won = master.finish(first, second)
    assert isinstance(lost.outcome, Failed)
    assert lost.outcome.kind is FailureKind.CRASH
    assert isinstance(won.outcome, Succeeded)
    assert seen_by(worker)[1] == ("0", "cuda:0")


def late_at(worker: WorkerProcess) -> set[str]:
    """Which of trials 30 and 31 this worker began on its GPU 1."""
    return {line[0] for line in worker.lines("began-1")} & {"30", "31"}


def test_broken_gpu_is_told_and_takes_neither_its_worker_nor_the_queue_with_it(
    records: KeptRecords, workers: Workers
) -> None:
    records.contexts[EXPERIMENT] = message("remote_evaluators:on_broken_gpu")
    with serving(records) as master:
        worker = workers.start(master.hub.port, slots=2, devices=GPUS)
        other = workers.start(master.hub.port, slots=1, devices=GPUS[1:])
        master.pump(lambda: master.hub.slots() == 3)
        tokens = [master.submit(n, 0.1, requirements={"gpu": 1.0}) for n in range(30)]
        ends = master.finish(*tokens)
        late = [master.submit(n, 60.0, requirements={"gpu": 1.0}) for n in (30, 31)]
        # Both GPUs that are left are used at once.
        master.pump(lambda: [len(late_at(each)) for each in (worker, other)] == [1, 1])
        for token in late:
            master.lane.order(token, Order.CANCEL)
        master.finish(*late)
        shut = [str(gpu) for view in master.hub.workers() for gpu in view.shut_gpus]
        assert {view.barred for view in master.hub.workers()} == {""}
        assert master.hub.slots() == 2
    failed = [end.outcome for end in ends if isinstance(end.outcome, Failed)]
    assert 3 <= len(failed) <= 5, "what is broken fails fast and looks idle"
    assert {outcome.gpus for outcome in failed} == {"0"}
    (why,) = shut
    assert why.startswith("GPU 0 gets no work: 3 failures in a row: RuntimeError: CUDA error")


def test_operator_without_gpus_shows_none(records: KeptRecords, workers: Workers) -> None:
    with serving(records) as master:
        worker = workers.start(master.hub.port, slots=1, devices=["cpu"])
        master.pump(lambda: master.hub.slots() == 1)
        assert "gpu" not in master.hub.workers()[0].capabilities
        master.finish(master.submit(0))
    assert seen_by(worker) == {0: ("none", "cpu")}
