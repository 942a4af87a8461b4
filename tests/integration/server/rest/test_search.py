"""A search that comes, is worked on and is taken away over REST alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.integration.server.rest.conftest import Served, serving

from morphml.engines.remote.access import ServerAccess
from morphml.master.cluster.master import Master
from morphml.master.cluster.settings import MasterSettings

API = "/api/v1/experiments"
WORKERS = "/api/distributed/workers"
PATIENCE_S = 60.0
EXPERIMENT = """\
name: numbers
space: |
  SearchSpace(decisions={"x": real(-1.0, 1.0), "k": integer(1, 5)})
evaluator: morphml.testing.engine_evaluators:tell
objectives: {loss: min}
optimizer: random
trials: 8
seed: 3
"""


def work_until_over(served: Served, experiment: str) -> int:
    """Be a worker until the experiment is over; how many trials it was."""
    served.done(f"{WORKERS}/register", {"workerId": "w", "maxConcurrency": 2})
    done, deadline = 0, time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        served.done(f"{WORKERS}/w/heartbeat", {"currentLoad": 0})
        tasks = served.done(f"{WORKERS}/w/lease", {"limit": 2})["tasks"]
        for task in tasks:
            values = task["trial"]["decisions"]
            ended = {
                "taskId": task["taskId"],
                "attemptId": task["attemptId"],
                "status": "completed",
                "metrics": {"loss": values["x"] ** 2 + values["k"]},
            }
            served.done(f"{WORKERS}/w/results", ended)
            done += 1
        if served.seen(f"{API}/{experiment}")["status"] == "completed":
            return done
        if not tasks:
            time.sleep(0.05)
    pytest.fail(f"{served.seen(f'{API}/{experiment}')} after {done} trials")


def test_search_is_made_worked_on_shown_and_deleted_over_rest(tmp_path: Path) -> None:
    storage = str(tmp_path / "a.db")
    settings = MasterSettings(storage=storage, listen="127.0.0.1:0")
    yaml = {"Content-Type": "application/yaml", "Idempotency-Key": "one"}
    with Master(settings, ServerAccess()), serving(storage) as served:
        made = [served.ask.post(API, content=EXPERIMENT, headers=yaml) for _ in range(2)]
        assert [each.status_code for each in made] == [201, 201]
        (experiment,) = {each.json()["experimentId"] for each in made}  # sent twice, made once
        assert made[0].headers["location"] == f"{API}/{experiment}"
        other = served.ask.post(API, content=EXPERIMENT + "# 2\n", headers=yaml)
        assert other.json()["type"] == "urn:morphml:problem:key-reused"

        assert work_until_over(served, experiment) == 8

        trials = served.seen(f"{API}/{experiment}/trials", params={"limit": 5})
        assert [trial["number"] for trial in trials["trials"]] == [0, 1, 2, 3, 4]
        rest = served.seen(f"{API}/{experiment}/trials", params={"after": trials["next"]})
        assert [trial["number"] for trial in rest["trials"]] == [5, 6, 7]
        every = [*trials["trials"], *rest["trials"]]
        best = served.seen(f"{API}/{experiment}/best")
        assert best["metrics"]["loss"] == min(trial["metrics"]["loss"] for trial in every)
        assert served.seen(f"{API}/{experiment}/pareto-front")["trials"] == [best]

        exported = served.ask.get(f"{API}/{experiment}/export", params={"format": "json"})
        assert exported.json()["number"] == best["number"]
        assert exported.headers["content-disposition"].startswith("attachment; ")
        table = served.ask.get(f"{API}/{experiment}/export", params={"format": "csv"})
        assert len(table.text.splitlines()) == 9

        assert served.post(f"{API}/{experiment}/pause").status_code == 409
        assert served.post(f"{API}/{experiment}/resume").status_code == 409
        assert served.ask.delete(f"{API}/{experiment}").status_code == 204
        assert served.ask.get(f"{API}/{experiment}").status_code == 404
        assert served.seen(API)["experiments"] == []


def test_experiment_that_nobody_drives_is_paused_and_resumed(served: Served) -> None:
    headers = {"Content-Type": "application/yaml"}
    made = served.ask.post(API, content=EXPERIMENT, headers=headers).json()
    assert (made["status"], made["objectives"], made["budget"]) == ("queued", {"loss": "min"}, 8)
    assert made["waitsFor"]
    path = f"{API}/{made['experimentId']}"
    assert served.ask.delete(path).status_code == 409
    assert served.done(f"{path}/pause")["status"] == "paused"
    assert served.done(f"{path}/resume")["status"] == "queued"
    assert served.done(f"{path}/stop")["status"] == "paused"
    assert served.ask.get(f"{path}/best").status_code == 409
    assert served.ask.delete(path).status_code == 204
