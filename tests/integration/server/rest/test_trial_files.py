"""Reports, output and checkpoints of trials that workers run over REST."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import httpx
from tests.integration.engines.remote.scripted import eventually
from tests.integration.server.rest.by_hand import API, end, execute, lease, register
from tests.integration.server.rest.conftest import Served, serving

import morphml as mm
from morphml.engines.remote.access import ServerAccess
from morphml.evaluation.orders import Order
from morphml.ids import AttemptToken, ExperimentId
from morphml.master.cluster.master import Master
from morphml.master.cluster.settings import MasterSettings
from morphml.storage.cluster.orders import AttemptOrder

SEARCHES = "/api/v1/experiments"
EXPERIMENT = {
    "space": 'SearchSpace(decisions={"x": real(-1.0, 1.0)})',
    "evaluator": "morphml.testing.engine_evaluators:tell",
    "objectives": {"loss": "min"},
    "optimizer": "random",
    "trials": 6,
    "fidelity": {"asha": {"min_epochs": 1, "eta": 3}},
    "max_epochs": 3,
    "seed": 3,
}
PATIENCE_S = 120.0


def named(task: dict) -> dict:
    return {"taskId": task["taskId"], "attemptId": task["attemptId"]}


def report(served: Served, task: dict, step: int, loss: float) -> httpx.Response:
    body = {**named(task), "step": step, "metrics": {"loss": loss}}
    return served.post(f"{API}/workers/w-1/reports", body)


def checkpoint(served: Served, task: dict, method: str = "GET", **more: object) -> httpx.Response:
    url = f"{API}/workers/w-1/tasks/{task['taskId']}/checkpoint"
    return served.ask.request(method, url, headers={"Attempt-Id": task["attemptId"]}, **more)


def next_trial(served: Served, experiment: str) -> dict | None:
    """The next trial; None when the experiment is over."""
    found: list[dict] = []

    def over() -> bool:
        served.done(f"{API}/workers/w-1/heartbeat", {"currentLoad": 0})
        found.extend(lease(served, limit=1))
        return bool(found) or served.seen(f"{SEARCHES}/{experiment}")["status"] == "completed"

    eventually(over, PATIENCE_S, "a trial, or the end")
    return found[0] if found else None


def test_trials_pause_at_rungs_and_go_on_from_what_they_have_put(tmp_path: Path) -> None:
    storage = str(tmp_path / "a.db")
    settings = MasterSettings(storage=storage, listen="127.0.0.1:0")
    epochs: Counter[int] = Counter()
    with (
        Master(settings, ServerAccess()),
        serving(storage) as served,
        mm.Client(served.url) as client,
    ):
        register(served)
        experiment = served.done(SEARCHES, EXPERIMENT)["experimentId"]
        while (task := next_trial(served, experiment)) is not None:
            trial = task["trial"]
            number, begin, stop = trial["number"], trial["fromEpoch"], trial["toEpoch"]
            file = tmp_path / "checkpoint"
            if begin:
                client.workers.get_checkpoint("w-1", task, file)
                assert file.read_text() == f"trial {number} after {begin}"
                assert trial["checkpoint"]["size"] == file.stat().st_size
                assert trial["checkpoint"]["step"] == begin
            else:
                assert trial["checkpoint"] is None
                assert checkpoint(served, task).status_code == 404
            for epoch in range(begin + 1, stop + 1):
                epochs[number] += 1
                order = client.workers.report("w-1", task, epoch, {"loss": 1.0 / epoch})["order"]
                assert order == "continue"
                file.write_text(f"trial {number} after {epoch}")
                assert client.workers.put_checkpoint("w-1", task, file, epoch)["step"] == epoch
                client.workers.log("w-1", task, f"epoch {epoch}\n")
            status = "completed" if stop == trial["maxEpochs"] else "paused"
            ended = end(task, status, metrics={"loss": 1.0 / stop}, step=stop)
            assert served.post(f"{API}/workers/w-1/results", ended).status_code == 204
        trials = served.seen(f"{SEARCHES}/{experiment}/trials")["trials"]
    # No epoch was trained twice, and each trial's output is where a master keeps it.
    assert {each["number"]: each["epochs"] for each in trials} == dict(epochs)
    assert len(trials) == 6
    assert 3 in epochs.values()
    for number, count in epochs.items():
        text = (tmp_path / f"a.artifacts/{experiment}/output/{number:06d}.log").read_text()
        assert text == "".join(f"epoch {epoch}\n" for epoch in range(1, count + 1))


def test_order_is_told_with_every_report_and_heartbeat_until_the_attempt_ends(
    tmp_path: Path,
) -> None:
    storage = str(tmp_path / "a.db")
    settings = MasterSettings(storage=storage, listen="127.0.0.1:0")
    with Master(settings, ServerAccess()), serving(storage) as served:
        register(served)
        alone = {key: EXPERIMENT[key] for key in ("space", "evaluator", "objectives")}
        experiment = served.done(SEARCHES, {**alone, "optimizer": "random", "trials": 1})[
            "experimentId"
        ]
        task = next_trial(served, experiment)
        assert task is not None
        assert report(served, task, 1, 0.5).json() == {"order": "continue"}
        order = AttemptOrder(
            experiment=ExperimentId(experiment),
            number=0,
            token=AttemptToken(task["attemptId"]),
            order=Order.STOP,
        )
        served.store.cluster.orders.send([order])
        assert report(served, task, 2, 0.4).json() == {"order": "stop"}
        for _ in range(2):
            beat = served.done(f"{API}/workers/w-1/heartbeat", {})
            assert beat["orders"] == {task["attemptId"]: "stop"}
        ended = end(task, metrics={"loss": 0.4})
        assert served.post(f"{API}/workers/w-1/results", ended).status_code == 204
        assert served.done(f"{API}/workers/w-1/heartbeat", {})["orders"] == {}
        assert report(served, task, 3, 0.3).status_code == 409
        assert checkpoint(served, task).status_code == 409
        late = checkpoint(served, task, "PUT", params={"step": 3}, content=b"late")
        assert late.status_code == 409
    assert list(tmp_path.glob("a.artifacts/*/checkpoints/*")) == []


def test_heartbeat_tells_which_attempts_are_not_the_workers_any_more(served: Served) -> None:
    register(served)
    execution = execute(served, {"id": "a"}, {"id": "b"})
    a, b = lease(served)
    both = {"attempts": [a["attemptId"], b["attemptId"]]}
    assert served.done(f"{API}/workers/w-1/heartbeat", both)["orders"] == {}
    served.done(f"{API}/execute/{execution}/jobs/{a['job']['id']}/cancel")
    beat = served.done(f"{API}/workers/w-1/heartbeat", both)
    assert beat["orders"] == {a["attemptId"]: "cancel"}


def test_jobs_have_no_reports_and_no_checkpoints(served: Served) -> None:
    register(served)
    execute(served, {"id": "a"})
    (task,) = lease(served)
    assert report(served, task, 1, 0.5).status_code == 422
    put = checkpoint(served, task, "PUT", params={"step": 1}, content=b"x")
    assert put.status_code == 422
    assert checkpoint(served, task).status_code == 404
