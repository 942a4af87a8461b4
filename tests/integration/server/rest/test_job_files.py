"""Files and output of jobs that workers run over REST."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from tests.integration.engines.remote.scripted import eventually
from tests.integration.server.rest.by_hand import API, end, execute, lease, register, states
from tests.integration.server.rest.conftest import Served, serving

from morphml.engines.remote.access import ServerAccess
from morphml.jobs import Artifact, ArtifactFolder
from morphml.master.cluster.master import Master
from morphml.master.cluster.reports import report_from_json
from morphml.master.cluster.settings import MasterSettings

BYTES = b"\x00weights\xff" * 300_000  # more than one piece
ABSENT = "0" * 32


def put(
    served: Served, task: dict, name: str, content: bytes, worker: str = "w-1"
) -> httpx.Response:
    return served.ask.put(
        f"{API}/workers/{worker}/tasks/{task['taskId']}/outputs/{name}",
        content=content,
        headers={"Attempt-Id": task["attemptId"]},
    )


def got(served: Served, task: dict, digest: str, worker: str = "w-1") -> httpx.Response:
    return served.ask.get(
        f"{API}/workers/{worker}/tasks/{task['taskId']}/inputs/{digest}",
        headers={"Attempt-Id": task["attemptId"]},
    )


def log(served: Served, task: dict, *texts: str, worker: str = "w-1") -> httpx.Response:
    output = [{"stream": "stdout", "text": text} for text in texts]
    body = {"taskId": task["taskId"], "attemptId": task["attemptId"], "output": output}
    return served.post(f"{API}/workers/{worker}/logs", body)


def kept(tmp_path: Path) -> list[str]:
    """Names of all files of executions that lie complete on disk."""
    return [path.name for path in tmp_path.glob("a.artifacts/*/artifacts/*/*")]


def test_file_of_one_job_reaches_the_job_that_refers_to_it(served: Served, tmp_path: Path) -> None:
    register(served)
    execution = execute(
        served,
        {"id": "a"},
        {"id": "b", "dependsOn": ["a"], "config": {"model": "${a.model}"}},
        {"id": "c"},
    )
    first, other = lease(served)
    answer = put(served, first, "model.bin", BYTES)
    assert answer.status_code == 201
    reference = answer.json()
    assert reference == {
        "artifact": hashlib.blake2b(BYTES, digest_size=16).hexdigest(),
        "name": "model.bin",
        "size": len(BYTES),
    }
    assert put(served, first, "model.bin", BYTES).json() == reference  # sent again
    assert kept(tmp_path) == ["model.bin"]
    # Nobody refers to it yet, and another job of the execution never will.
    assert got(served, other, reference["artifact"]).status_code == 404
    served.done(f"{API}/workers/w-1/results", end(first, outputs={"model": reference}))

    (second,) = lease(served)
    assert second["job"]["config"] == {"model": reference}
    answer = got(served, second, reference["artifact"])
    assert answer.content == BYTES
    assert answer.headers["content-disposition"] == 'attachment; filename="model.bin"'
    assert got(served, second, ABSENT).status_code == 404
    served.done(f"{API}/workers/w-1/results", end(second))
    served.done(f"{API}/workers/w-1/results", end(other))
    assert states(served, execution) == dict.fromkeys("abc", "succeeded")
    assert got(served, second, reference["artifact"]).status_code == 409  # it has ended
    served.done(f"{API}/queue/clean", {"olderThan": 0})
    assert kept(tmp_path) == []


def test_result_that_names_a_file_which_is_not_there_is_refused(served: Served) -> None:
    register(served)
    execution = execute(served, {"id": "a"})
    (task,) = lease(served)
    for reference in (
        {"artifact": ABSENT, "name": "model.bin", "size": 3},
        {"artifact": "../../../etc/passwd", "name": "x", "size": 3},
        {"artifact": ABSENT, "name": "../x", "size": 3},
    ):
        result = end(task, outputs={"deep": [{"model": reference}]})
        answer = served.post(f"{API}/workers/w-1/results", result)
        assert answer.status_code == 422, answer.text
    assert states(served, execution) == {"a": "active"}


def test_files_and_output_of_attempts_of_others_are_refused(served: Served, tmp_path: Path) -> None:
    register(served)
    register(served, workerId="w-2")
    execute(served, {"id": "a"}, {"id": "b"})
    (old,) = lease(served, limit=1)
    assert log(served, old, "from the living").status_code == 204
    for refused in (
        put(served, old, "x", b"1", worker="w-2"),
        log(served, old, "x", worker="w-2"),
        got(served, old, ABSENT, worker="w-2"),
        put(served, {**old, "attemptId": ABSENT}, "x", b"1"),
    ):
        assert refused.status_code == 409
        assert refused.json()["type"] == "urn:morphml:problem:token-refused"
    assert put(served, old, "x", b"1", worker="nobody").status_code == 404

    register(served)  # the next life of the same worker
    for refused in (
        put(served, old, "x", b"1"),
        log(served, old, "late"),
        got(served, old, ABSENT),
    ):
        assert refused.status_code == 409
    assert kept(tmp_path) == []
    assert list(tmp_path.glob("a.artifacts/*/.upload-*")) == []


def test_unsafe_names_of_files_are_refused(served: Served, tmp_path: Path) -> None:
    register(served)
    execute(served, {"id": "a"})
    (task,) = lease(served)
    for name in ("..", "..%2F..%2Fx", ".hidden", "a%00b", "a%2Fb", "x" * 129, "%20"):
        assert put(served, task, name, b"1").status_code in (404, 405, 422), name
    assert [path for path in tmp_path.glob("a.artifacts/**/*") if path.is_file()] == []
    assert not (tmp_path / "x").exists()


def test_files_that_are_too_large_are_refused_and_nothing_of_them_is_left(tmp_path: Path) -> None:
    with serving(str(tmp_path / "a.db"), most_file_bytes=1_000) as served:
        register(served)
        execute(served, {"id": "a"})
        (task,) = lease(served)
        assert put(served, task, "fits", b"x" * 1_000).status_code == 201
        assert put(served, task, "large", b"x" * 1_001).status_code == 413
        untold = iter([b"x" * 1_000, b"x"])  # no Content-Length
        assert put(served, task, "large", untold).status_code == 413
        assert kept(tmp_path) == ["fits"]
        assert list(tmp_path.glob("a.artifacts/*/.upload-*")) == []
        # Bodies that are no files have their own limit, and files are sent as such alone.
        answer = served.ask.put(
            f"{API}/workers/w-1/tasks/{task['taskId']}/outputs/x",
            content=b"{}",
            headers={"Attempt-Id": task["attemptId"], "Content-Type": "text/plain"},
        )
        assert answer.status_code == 415


def test_nothing_is_left_of_a_file_whose_connection_breaks(served: Served, tmp_path: Path) -> None:
    register(served)
    execution = execute(served, {"id": "a"})
    (task,) = lease(served)
    head = (
        f"PUT {API}/workers/w-1/tasks/{task['taskId']}/outputs/x HTTP/1.1\r\nHost: localhost\r\n"
        f"Attempt-Id: {task['attemptId']}\r\nContent-Length: 1000\r\n\r\n"
    )

    def parts() -> list[Path]:
        return list(tmp_path.glob("a.artifacts/*/.upload-*"))

    address = urlsplit(served.url)
    assert address.port is not None
    with socket.create_connection(("127.0.0.1", address.port)) as connection:
        connection.sendall(head.encode() + b"x" * 999)
        eventually(lambda: [part.stat().st_size for part in parts()] != [], 60.0, "it comes")
    eventually(lambda: parts() == [], 60.0, "it is dropped")
    assert kept(tmp_path) == []
    served.done(f"{API}/workers/w-1/results", end(task))
    assert states(served, execution) == {"a": "succeeded"}


def test_output_of_a_job_is_kept_in_order_up_to_its_limit(served: Served) -> None:
    register(served)
    execution = execute(served, {"id": "a"})
    (task,) = lease(served)
    assert log(served, task, "one\n", "two\n").status_code == 204
    assert log(served, task, "three\n").status_code == 204
    lines = served.seen(f"{API}/execute/{execution}/jobs/a/logs")["lines"]
    assert [(line["seq"], line["text"]) for line in lines] == [
        (1, "one\n"),
        (2, "two\n"),
        (3, "three\n"),
    ]
    for _ in range(11):
        assert log(served, task, "x" * 100_000).status_code == 204
    lines = served.seen(f"{API}/execute/{execution}/jobs/a/logs")["lines"]
    assert sum(len(line["text"]) for line in lines) == 1 << 20
    assert log(served, task, "x" * 100_001).status_code == 422
    assert log(served, task).status_code == 422


def test_file_goes_from_a_worker_over_rest_to_a_master_with_another_folder(tmp_path: Path) -> None:
    storage = str(tmp_path / "a.db")
    apart = tmp_path / "apart"
    settings = MasterSettings(storage=storage, listen="127.0.0.1:0", artifacts=apart)
    with Master(settings, ServerAccess()) as master, serving(storage) as served:
        register(served)
        execution = execute(served, {"id": "a", "requiredCapabilities": ["ssd"]})
        masters = served.store.cluster.masters
        eventually(
            lambda: any(report_from_json(m.report).place for m in masters()), 90.0, "it told"
        )
        (task,) = lease(served)
        reference = put(served, task, "model.bin", b"weights").json()
        served.done(f"{API}/workers/w-1/results", end(task, outputs={"model": reference}))
        assert states(served, execution) == {"a": "succeeded"}
        artifact = Artifact.of(reference)
        assert artifact is not None
        assert master.life.records.fetch_artifact(execution, artifact)
        assert ArtifactFolder(apart / execution).path(artifact).read_bytes() == b"weights"
