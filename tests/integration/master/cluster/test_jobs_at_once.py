"""As many jobs run at once as there are slots, over two masters, and never more."""

from __future__ import annotations

import errno
import os
from itertools import accumulate
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import eventually
from tests.integration.engines.remote.worker_processes import HERE, Workers
from tests.integration.master.cluster.masters import LONG_S, Site

from morphml.master.workflows import Executions
from morphml.workflow import ExecutionState

SLOTS = 50
JOBS = 120


def let_go(fifo: Path) -> None:
    """Wake all that wait to read from it, without a line."""
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        if error.errno != errno.ENXIO:  # nobody waits
            raise


def test_hundred_jobs_run_at_once_on_hundred_slots(
    shared: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    go, fifo = tmp_path / "go", tmp_path / "fifo"
    os.mkfifo(fifo)
    config = {"function": "remote_jobs:wait", "go": str(go), "fifo": str(fifo)}
    jobs = [{"id": f"j{n}", "type": "python", "config": config} for n in range(JOBS)]
    masters = [shared.master("first"), shared.master("other")]
    workers = Workers(tmp_path)
    started = [workers.start(master.port, slots=SLOTS) for master in masters]
    executions = Executions(shared.store)

    def running() -> list[int]:
        return [len(each.lines("began")) for each in started]

    def over() -> bool:
        let_go(fifo)
        return executions.show(id).state.ended

    try:
        eventually(lambda: [m.hub.slots() for m in masters] == [SLOTS] * 2, LONG_S, "the workers")
        id = executions.start({"workflowId": "wide", "jobs": jobs}).id
        eventually(lambda: running() == [SLOTS] * 2, 4 * LONG_S, "jobs in all slots")
        assert executions.queue.stats().active >= 2 * SLOTS
        go.touch()
        eventually(over, 4 * LONG_S, "the end")
    finally:
        for each in started:
            each.process.kill()
            each.process.wait()
    assert executions.show(id).state is ExecutionState.COMPLETED
    assert sum(running()) == JOBS, "each ran once"
    for each in started:
        words = [line.split()[0] for line in each.tally.read_text().splitlines()]
        assert max(accumulate(1 if word == "began" else -1 for word in words)) == SLOTS
    assert all(job.attempts == 1 for job in executions.jobs(id))
