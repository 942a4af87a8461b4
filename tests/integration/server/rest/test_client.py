"""`morphml.Client`, with and without waiting, against a real server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.server.rest.conftest import Served, serving

import morphml as mm
from morphml.engines.remote.access import TokenFile
from morphml.errors import RequestError

PIPELINE = """\
workflowId: pipeline
jobs:
  - {id: a, type: python}
  - {id: b, type: python, dependsOn: [a]}
"""


@pytest.fixture
def client(served: Served) -> Iterator[mm.Client]:
    with mm.Client(served.url) as client:
        yield client


def work(client: mm.Client, worker: str, jobs: int) -> None:
    """Run so many jobs, one after another, as a worker over REST."""
    client.workers.register(worker, slots=1)
    for _ in range(jobs):
        (task,) = client.workers.lease(worker)["tasks"]
        client.workers.end(worker, task, outputs={"by": worker})


def test_client_starts_waits_and_sees_what_came_out(client: mm.Client) -> None:
    execution = client.executions.start(PIPELINE)["executionId"]
    worker = threading.Thread(target=work, args=(client, "w", 2))
    worker.start()
    done = client.wait(execution)
    worker.join()
    assert done["status"] == "completed"
    assert [job["outputs"] for job in done["jobs"]] == [{"by": "w"}] * 2
    seen = list(client.events(execution))
    assert [event.seq for event in seen] == list(range(1, done["seq"] + 1))
    assert (seen[-1].kind, seen[-1].status) == ("execution", "completed")
    assert [event.job for event in seen if event.status == "succeeded"] == ["a", "b"]
    assert list(client.events(execution, after=done["seq"])) == []


def test_client_controls_an_execution_and_the_queue(client: mm.Client) -> None:
    execution = client.executions.start({"workflowId": "w", "jobs": [{"id": "a", "type": "shell"}]})
    id_ = execution["executionId"]
    assert client.executions.pause(id_)["status"] == "paused"
    assert client.executions.resume(id_)["status"] == "running"
    assert client.executions.cancel(id_)["status"] == "cancelled"
    assert client.executions.retry(id_)["status"] == "running"
    assert client.executions.jobs(id_, status="active")["jobs"][0]["id"] == "a"
    assert client.executions.cancel_job(id_, "a")["status"] == "cancelled"
    assert client.executions.logs(id_, "a") == {"lines": [], "next": 0}
    assert client.queue.limit(5.0)["rate"] == 5.0
    assert client.queue.limit(None)["rate"] is None
    assert client.queue.drain()["draining"] is True
    with pytest.raises(RequestError, match="drained"):
        client.executions.start(PIPELINE)
    assert client.queue.resume()["draining"] is False
    assert client.queue.clean(0.0) == {"removed": 1}


def test_same_key_begins_one_execution_however_often_it_is_sent(client: mm.Client) -> None:
    found = {client.executions.start(PIPELINE, key="once")["executionId"] for _ in range(5)}
    assert len(found) == 1
    assert len(client.executions.list()["executions"]) == 1


def test_pages_hold_each_execution_once(client: mm.Client) -> None:
    begun = [client.executions.start(PIPELINE)["executionId"] for _ in range(5)]
    found, after = [], None
    while True:
        page = client.executions.list(after=after, limit=2)
        found += [each["executionId"] for each in page["executions"]]
        after = page["next"]
        if after is None:
            break
    assert found == begun[::-1]


def test_refusal_tells_every_mistake_with_its_place(client: mm.Client) -> None:
    job = {"id": "a", "type": "shel", "dependsOn": ["b"]}
    with pytest.raises(RequestError) as refused:
        client.executions.start({"workflowId": "w", "jobs": [job]})
    assert refused.value.status == 422
    assert refused.value.kind == "invalid-workflow"
    assert [place for place, _ in refused.value.mistakes] == ["/jobs/0/type", "/jobs/0/dependsOn/0"]
    with pytest.raises(RequestError) as absent:
        client.executions.show("x0")
    assert (absent.value.status, absent.value.kind) == (404, "unknown-execution")


def test_listening_goes_on_where_it_was_when_the_server_comes_back(tmp_path: Path) -> None:
    storage, seen, first = str(tmp_path / "a.db"), [], threading.Event()

    def listen(url: str, execution: str) -> None:
        with mm.Client(url) as client:
            for event in client.events(execution):
                seen.append(event.seq)
                first.set()

    with serving(storage) as served:
        port = int(served.url.rpartition(":")[2])
        with mm.Client(served.url) as client:
            execution = client.executions.start(PIPELINE)["executionId"]
        listener = threading.Thread(target=listen, args=(served.url, execution))
        listener.start()
        assert first.wait(90)
    with serving(storage, port) as served, mm.Client(served.url) as client:
        work(client, "w", 2)
        newest = client.wait(execution)["seq"]
        listener.join(90)
    assert seen == list(range(1, newest + 1))


def test_client_says_that_nobody_answers() -> None:
    with mm.Client("http://127.0.0.1:1") as client, pytest.raises(RequestError, match="--rest"):
        client.queue.pause()


def test_client_shows_the_token_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    TokenFile(file).ensure()
    with serving(str(tmp_path / "a.db"), token_file=str(file)) as served:
        with mm.Client(served.url, token_file=file) as client:
            assert client.queue.stats()["waiting"] == 0
        with mm.Client(served.url, token="no") as client, pytest.raises(RequestError) as refused:
            client.queue.stats()
        assert refused.value.status == 401


def test_async_client_does_the_same(served: Served) -> None:
    async def go() -> tuple[str, list[str]]:
        async with mm.AsyncClient(served.url) as client:
            execution = (await client.executions.start(PIPELINE))["executionId"]
            with mm.Client(served.url) as other:
                worker = asyncio.to_thread(work, other, "w", 2)
                done, _ = await asyncio.gather(client.wait(execution), worker)
            seen = [event.status async for event in client.events(execution)]
            assert (await client.health())["store"]["status"] == "healthy"
            return done["status"], seen

    status, seen = asyncio.run(go())
    assert status == "completed"
    assert seen.count("succeeded") == 2


TWO = {
    "workflowId": "w",
    "jobs": [
        {"id": "a", "type": "python"},
        {"id": "b", "type": "python", "dependsOn": ["a"], "config": {"model": "${a.model}"}},
    ],
}


def test_client_passes_files_from_job_to_job(client: mm.Client, tmp_path: Path) -> None:
    execution = client.executions.start(TWO)["executionId"]
    client.workers.register("w")
    (task,) = client.workers.lease("w")["tasks"]
    (tmp_path / "weights").write_bytes(b"w" * 3_000_000)
    reference = client.workers.put_output("w", task, tmp_path / "weights", name="model.pt")
    assert (reference["name"], reference["size"]) == ("model.pt", 3_000_000)
    client.workers.log("w", task, "done\n", stream="stderr")
    client.workers.end("w", task, outputs={"model": reference})
    (line,) = client.executions.logs(execution, "a")["lines"]
    assert (line["stream"], line["text"]) == ("stderr", "done\n")

    (task,) = client.workers.lease("w")["tasks"]
    file = tmp_path / "fetched"
    client.workers.get_input("w", task, task["job"]["config"]["model"], file)
    assert file.read_bytes() == b"w" * 3_000_000
    client.executions.cancel(execution)
    assert client.workers.heartbeat("w", 1, tasks=[task])["orders"] == {task["attemptId"]: "cancel"}
    assert client.workers.drain("w", grace_s=5.0)["workerId"] == "w"
    assert client.workers.lease("w") == {"tasks": []}
    absent = tmp_path / "absent"
    with pytest.raises(RequestError) as caught:
        client.workers.get_input("w", task, reference, absent)
    assert (caught.value.status, caught.value.kind) == (409, "token-refused")
    assert [path.name for path in tmp_path.iterdir() if "absent" in path.name] == []


def test_client_without_waiting_passes_files_too(served: Served, tmp_path: Path) -> None:
    async def work() -> bytes:
        async with mm.AsyncClient(served.url) as client:
            await client.executions.start(TWO)
            await client.workers.register("w")
            (task,) = (await client.workers.lease("w"))["tasks"]
            (tmp_path / "weights").write_bytes(b"w" * 3_000_000)
            reference = await client.workers.put_output("w", task, tmp_path / "weights")
            await client.workers.end("w", task, outputs={"model": reference})
            (task,) = (await client.workers.lease("w"))["tasks"]
            await client.workers.get_input("w", task, reference, tmp_path / "fetched")
        return (tmp_path / "fetched").read_bytes()

    assert asyncio.run(work()) == b"w" * 3_000_000
