"""What runs on a node, without Ray: a worker that ends by itself when nobody confirms it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
from tests.integration.engines.remote.scripted import KeptRecords, eventually
from tests.integration.engines.remote.test_worker_with_hub import EXPERIMENT, message, serving
from tests.integration.engines.remote.worker_processes import HERE, SOURCE, runs

from morphml.engines.ray.orders import Duty, Summons

SERVE = "import sys; from morphml.engines.ray.host import Host; Host().serve(sys.argv[1])"
#: Longer than a worker on a busy machine needs to come to its master.
GIVE_UP_S = 10.0


def test_worker_that_no_master_confirms_kills_what_it_runs_and_ends(tmp_path: Path) -> None:
    records = KeptRecords(tmp_path / "artifacts")
    records.contexts[EXPERIMENT] = message("remote_evaluators:evaluate")
    tally = tmp_path / "tally"
    path = os.pathsep.join([str(SOURCE), str(HERE)])
    with serving(records) as master:
        summons = Summons(
            masters=(f"127.0.0.1:{master.hub.port}",), token="", give_up_after_s=GIVE_UP_S
        )
        duty = Duty(summons=summons, name="w", slots=1, gpus=False, offers={"cpu": 1.0, "ssd": 1.0})
        with subprocess.Popen(
            [sys.executable, "-c", SERVE, duty.text()],
            env={**os.environ, "TALLY": str(tally), "PYTHONPATH": path},
        ) as process:
            try:
                master.pump(lambda: master.hub.slots() == 1)
                (view,) = master.hub.workers()
                assert (view.name, view.capabilities["ssd"], view.capabilities["cpu"]) == (
                    "w",
                    1.0,
                    1.0,
                )
                master.submit(0, 60.0, requirements={"ssd": 1.0})
                master.pump(lambda: master.started())
                master.pump(lambda: tally.exists() and tally.read_text().endswith("\n"))
                child = psutil.Process(int(tally.read_text().split()[2]))
                master.hub.close(grace_s=0.0)
                assert process.wait(200) == 0
                eventually(lambda: not runs(child))
            finally:
                process.kill()
