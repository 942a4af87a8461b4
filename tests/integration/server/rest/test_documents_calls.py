"""The calls of the user's documents, verbatim, on a master's own REST process at port 3000."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

MORPHML = Path(sys.executable).with_name("morphml")
PATIENCE_S = 60.0
REGISTER = (
    '{"workerId":"worker-1","hostname":"worker-node-1","capabilities":["cpu","high-memory"],'
    '"maxConcurrency":4,"metadata":{"cpuCores":8,"memoryGB":32,"version":"1.0.0"}}'
)
EXECUTE = (
    '{"workflowId":"training-pipeline-1","jobs":[{"id":"job-1","name":"Data Preprocessing",'
    '"type":"preprocessing","dependsOn":[],"config":{}}],"parallelism":10}'
)


def call(method: str, url: str, body: str | None = None) -> tuple[int, dict]:
    """What a program without any library of ours or others would do."""
    headers = {"Content-Type": "application/json"}
    data = None if body is None else body.encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        text = answer.read()
        return answer.status, json.loads(text) if text else {}


def is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


class MasterProcess:
    """`morphml master --no-token`, at port 3000 where that is free."""

    def __init__(self, folder: Path) -> None:
        self.said = folder / "said"
        command = [str(MORPHML), "master", "--storage", "a.db", "--listen", "127.0.0.1:0"]
        environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config")}
        environment.pop("MORPHML_REST")  # what a person gets who says nothing
        if not is_free(3000):  # another program's
            command += ["--rest", "127.0.0.1:0"]
        with self.said.open("wb") as file:
            self.process = subprocess.Popen(
                [*command, "--no-token"], cwd=folder, env=environment, stderr=file
            )

    def wait_for(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(pattern, self.said.read_text()):
                return found
            time.sleep(0.05)
        pytest.fail(f"{pattern!r} was not said, but:\n{self.said.read_text()}")


def test_documents_calls_work_verbatim_and_the_process_is_started_again_when_it_dies(
    tmp_path: Path,
) -> None:
    master = MasterProcess(tmp_path)
    try:
        found = master.wait_for(r"REST at (http://127\.0\.0\.1:\d+)")
        api = f"{found[1]}/api/distributed"

        status, worker = call("POST", f"{api}/workers/register", REGISTER)
        assert status == 201
        assert worker["workerId"] == "worker-1"
        assert worker["ttl"] == 2 * worker["heartbeatTimeout"]

        _, listed = call("GET", f"{api}/workers")
        assert [each["workerId"] for each in listed["workers"]] == ["worker-1"]
        assert listed["workers"][0]["maxConcurrency"] == 4

        _, heard = call("POST", f"{api}/workers/worker-1/heartbeat", '{"currentLoad":2}')
        assert heard["status"] == "busy"

        _, stats = call("GET", f"{api}/queue/stats")
        assert stats["waiting"] == 0

        _, execution = call("POST", f"{api}/execute", EXECUTE)  # nobody works: it has no end
        assert execution["executionId"]
        assert execution["status"] == "running"

        _, shown = call("GET", f"{api}/execute/{execution['executionId']}")
        assert [job["id"] for job in shown["jobs"]] == ["job-1"]

        _, health = call("GET", f"{api}/health")
        assert {part: health[part]["status"] for part in ("workers", "masters", "queue")} == {
            "workers": "healthy",
            "masters": "healthy",
            "queue": "healthy",
        }

        assert call("POST", f"{api}/queue/pause")[1]["paused"] is True
        assert call("POST", f"{api}/queue/resume")[1]["paused"] is False
        assert call("DELETE", f"{api}/workers/worker-1") == (204, {})

        _kill_rest_process_of(master.process.pid)
        master.wait_for("REST process ended")
        assert call("GET", f"{api}/health")[1]["store"]["status"] == "healthy"
    finally:
        master.process.send_signal(signal.SIGTERM)
        assert master.process.wait(PATIENCE_S) == 0


def _kill_rest_process_of(master: int) -> None:
    for child in Path(f"/proc/{master}/task/{master}/children").read_text().split():
        if b"rest_process" in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(int(child), signal.SIGKILL)
            return
    pytest.fail("the master has no REST process")
