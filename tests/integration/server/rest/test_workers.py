"""Workers over REST: their lives, what they lease, and what counts of what they say."""

from __future__ import annotations

from tests.integration.server.rest.by_hand import API, end, execute, lease, register, states
from tests.integration.server.rest.conftest import Served

from morphml.storage.hints import HintTopic


def test_worker_runs_a_workflow_job_after_job_and_hands_outputs_on(served: Served) -> None:
    register(served)
    execution = execute(
        served,
        {"id": "a", "config": {"n": 1}},
        {"id": "b", "dependsOn": ["a"], "config": {"got": "${a.rows}"}},
    )
    (first,) = lease(served)
    assert first["job"] | {"executionId": ""} == {
        "executionId": "",
        "id": "a",
        "type": "python",
        "config": {"n": 1},
    }
    assert lease(served) == []
    result = end(first, outputs={"rows": [1, 2]}, durationSeconds=2.5)
    assert served.post(f"{API}/workers/w-1/results", result).status_code == 204
    assert served.post(f"{API}/workers/w-1/results", result).status_code == 204  # sent again
    (second,) = lease(served)
    assert second["job"]["config"] == {"got": [1, 2]}
    served.done(f"{API}/workers/w-1/results", end(second))
    shown = served.seen(f"{API}/execute/{execution}")
    assert shown["status"] == "completed"
    a, b = shown["jobs"]
    assert (a["outputs"], a["worker"], a["durationSeconds"], a["attempts"]) == (
        {"rows": [1, 2]},
        "w-1",
        2.5,
        1,
    )
    assert b["status"] == "succeeded"


def test_worker_gets_only_jobs_that_it_can_run(served: Served) -> None:
    register(served)
    register(served, workerId="w-2", capabilities=[])
    execute(
        served,
        {"id": "fast", "requiredCapabilities": ["ssd"]},
        {"id": "large", "resources": {"memory": 2**35}},
    )
    assert lease(served, "w-2") == []
    only = {"limit": 10, "only": "hdd"}
    assert served.done(f"{API}/workers/w-1/lease", only)["tasks"] == []
    only["only"] = "ssd"
    execute(served, {"id": "any"})
    tasks = served.done(f"{API}/workers/w-1/lease", only)["tasks"]
    assert [task["job"]["id"] for task in tasks] == ["fast"]
    assert [task["job"]["id"] for task in lease(served)] == ["any"]
    register(served, workerId="w-3", metadata={"memoryGB": 64})
    assert [task["job"]["id"] for task in lease(served, "w-3")] == ["large"]


def test_drained_worker_ends_what_it_has_and_gets_nothing_more(served: Served) -> None:
    register(served)
    register(served, workerId="w-2")
    execution = execute(served, {"id": "a"}, {"id": "b"})
    (task,) = lease(served, limit=1)
    path = f"{API}/workers/w-1/drain"
    assert served.done(path, {"graceSeconds": 5})["workerId"] == "w-1"
    assert lease(served) == []
    assert served.done(f"{API}/workers/w-1/heartbeat", {})["status"] == "draining"
    assert served.post(f"{API}/workers/w-1/results", end(task)).status_code == 204
    assert [each["job"]["id"] for each in lease(served, "w-2")] == ["b"]
    assert states(served, execution) == {"a": "succeeded", "b": "active"}

    register(served)
    assert served.done(f"{API}/workers/w-1/heartbeat", {})["status"] == "idle"
    for word, status, kind in (("nobody", 404, "unknown-worker"), ("node", 422, "invalid-request")):
        refused = served.post(f"{API}/workers/{word}/drain")
        assert refused.status_code == status, refused.text
        assert refused.json()["type"] == f"urn:morphml:problem:{kind}"


def test_new_incarnation_fences_the_old_one_and_its_tasks_wait_for_others(served: Served) -> None:
    before = register(served)
    execution = execute(served, {"id": "a"})
    (old,) = lease(served)
    after = register(served)
    assert (before["incarnation"], after["incarnation"]) == (1, 2)

    late = served.post(f"{API}/workers/w-1/results", end(old, outputs={"from": "the dead"}))
    assert late.status_code == 409
    assert late.json()["type"] == "urn:morphml:problem:token-refused"
    beat = served.post(f"{API}/workers/w-1/heartbeat", {"incarnation": 1})
    assert beat.status_code == 404

    (new,) = lease(served)
    assert new["taskId"] == old["taskId"]
    assert new["attemptId"] != old["attemptId"]
    served.done(f"{API}/workers/w-1/results", end(new, outputs={"from": "the living"}))
    assert served.post(f"{API}/workers/w-1/results", end(old)).status_code == 409
    shown = served.seen(f"{API}/execute/{execution}")
    assert shown["jobs"][0]["outputs"] == {"from": "the living"}


def test_worker_that_leaves_or_falls_silent_gives_its_tasks_back(served: Served) -> None:
    register(served)
    register(served, workerId="w-2", heartbeatTimeout=1.0)
    execute(served, {"id": "a"}, {"id": "b"})
    (a,) = lease(served, "w-1", 1)
    (b,) = lease(served, "w-2", 1)
    assert served.ask.delete(f"{API}/workers/w-1").status_code == 204
    assert served.ask.delete(f"{API}/workers/w-1").status_code == 404
    assert served.post(f"{API}/workers/w-1/heartbeat", {}).status_code == 404

    # Its lease runs out, and a master's reaper finds it.
    silent = served.store.cluster.rest_workers.find("w-2").session
    hints = served.store.hints.listen()
    for _ in range(100):
        if served.store.leases.late()[0] == [silent]:
            break
        hints.wait(0.1)
    assert served.store.leases.reap([silent]) == [silent]
    served.store.hints.send(HintTopic.WORK)
    assert served.post(f"{API}/workers/w-2/heartbeat", {}).status_code == 404

    register(served, workerId="w-3")
    again = {task["taskId"] for task in lease(served, "w-3")}
    assert again == {a["taskId"], b["taskId"]}
    alive = {w["workerId"]: w["alive"] for w in served.seen(f"{API}/workers")["workers"]}
    assert alive == {"w-1": False, "w-2": False, "w-3": True}


def test_failed_job_is_tried_again_and_then_fails_with_what_was_said(served: Served) -> None:
    register(served)
    execution = execute(served, {"id": "a", "maxRetries": 0})
    (task,) = lease(served)
    error = {"type": "ValueError", "message": "no such file"}
    served.done(f"{API}/workers/w-1/results", end(task, "failed", error=error))
    shown = served.seen(f"{API}/execute/{execution}")
    assert shown["status"] == "failed"
    assert "ValueError: no such file" in shown["jobs"][0]["reason"]


def test_outputs_that_are_too_large_are_refused_and_the_attempt_goes_on(served: Served) -> None:
    register(served)
    execution = execute(served, {"id": "a"})
    (task,) = lease(served)
    large = served.post(f"{API}/workers/w-1/results", end(task, outputs={"x": "y" * 70_000}))
    assert large.status_code == 413
    assert states(served, execution) == {"a": "active"}
    served.done(f"{API}/workers/w-1/results", end(task))
    assert states(served, execution) == {"a": "succeeded"}


def test_worker_that_nobody_registered_may_do_nothing(served: Served) -> None:
    for path, body in (
        ("heartbeat", {"currentLoad": 1}),
        ("lease", {"limit": 1}),
        ("results", {"taskId": "x1-0-0", "attemptId": "0" * 32, "status": "completed"}),
    ):
        answer = served.post(f"{API}/workers/nobody/{path}", body)
        assert answer.status_code == 404, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
