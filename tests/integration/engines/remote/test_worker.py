"""A worker process and a scripted master: real gRPC, real children, everything counted."""

from __future__ import annotations

from collections import Counter

from tests.integration.engines.remote.scripted_master import (
    ScriptedMaster,
    context,
    outcomes,
    score,
    task,
    token_of,
)
from tests.integration.engines.remote.worker_processes import Workers


def test_worker_runs_each_task_once_and_tells_each_result_once(workers: Workers) -> None:
    with ScriptedMaster() as master:
        worker = workers.start(master.port, slots=2)
        master.wait_for("registration")
        tasks = [task(number, 0.01) for number in range(20)]
        master.send(context("evaluate"), *tasks)
        master.wait_for("result", 20)
        master.wait_for("beat", len(master.of("beat")) + 2)
    results = master.results()
    assert outcomes(results) == ["succeeded"] * 20
    assert Counter(each.attempt.token for each in results) == Counter(map(token_of, tasks))
    assert {each.attempt.number: score(each) for each in results} == {
        number: {"score": float(number)} for number in range(20)
    }
    assert Counter(number for number, *_ in worker.lines("began")) == Counter(
        str(number) for number in range(20)
    )
    assert len(master.of("started")) == 20
    accepted = [token for each in master.of("accepted") for token in each.accepted.tokens]
    assert Counter(accepted) == Counter(map(token_of, tasks))
    assert {each.slot for each in results} == {"w0/slot-0", "w0/slot-1"}
    last = master.of("beat")[-1].beat
    assert not (last.running or last.queued or last.unacknowledged)
    assert "trial 7\n" in master.logs(token_of(tasks[7]))
