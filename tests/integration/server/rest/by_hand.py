"""What a worker says over REST, as tests say it by hand."""

from __future__ import annotations

from tests.integration.server.rest.conftest import Served

API = "/api/distributed"
W1 = {"workerId": "w-1", "hostname": "node", "capabilities": ["ssd"], "maxConcurrency": 2}


def register(served: Served, **more: object) -> dict:
    return served.done(f"{API}/workers/register", {**W1, **more})


def execute(served: Served, *jobs: dict) -> str:
    body = {"workflowId": "w", "jobs": [{"type": "python", **job} for job in jobs]}
    return served.done(f"{API}/execute", body)["executionId"]


def lease(served: Served, worker: str = "w-1", limit: int = 10) -> list[dict]:
    return served.done(f"{API}/workers/{worker}/lease", {"limit": limit})["tasks"]


def end(task: dict, status: str = "completed", **more: object) -> dict:
    return {"taskId": task["taskId"], "attemptId": task["attemptId"], "status": status, **more}


def states(served: Served, execution: str) -> dict[str, str]:
    jobs = served.seen(f"{API}/execute/{execution}")["jobs"]
    return {job["id"]: job["status"] for job in jobs}
