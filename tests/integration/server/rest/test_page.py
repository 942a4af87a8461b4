"""The calls on docs/rest.md work as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

from tests.integration.engines.remote.scripted import eventually
from tests.integration.server.rest.conftest import Served

import morphml as mm
from morphml.server.rest.app import create_app
from morphml.server.rest.settings import RestSettings
from morphml.server.rest.site import Site

PAGE = Path(__file__).resolve().parents[4] / "docs" / "rest.md"
ME = "forty-lines"
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str, url: str) -> list[str]:
    found = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    told = [code.replace("http://localhost:3000", url) for kind, code in found if kind == language]
    return [code for code in told if not code.startswith("morphml ")]


def answers_of(code: str) -> list[dict]:
    done = subprocess.run(["bash", "-euc", code], capture_output=True, text=True, check=True)
    decoder, found, text = json.JSONDecoder(), [], done.stdout.strip()
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:].lstrip()
    return found


def test_curl_calls_on_the_page_are_answered_as_it_says(served: Served) -> None:
    api = f"API={served.url}/api/distributed\n"
    first, workers, wrong = (answers_of(api + code) for code in blocks("bash", served.url))
    begun, listed, stats, health = first
    assert begun["executionId"]
    assert begun["status"] == "running"
    assert [each["executionId"] for each in listed["executions"]] == [begun["executionId"]]
    assert "waiting" in stats
    assert health["store"]["status"] == "healthy"
    registered, heard, leased = workers
    assert registered["ttl"] == 2 * registered["heartbeatTimeout"]
    assert heard["orders"] == {}
    assert leased["tasks"][0]["job"]["id"] == "a"
    assert wrong[0]["type"] == "urn:morphml:problem:invalid-workflow"
    assert "shell" in wrong[0]["detail"]


def test_python_on_the_page_runs_to_its_end(served: Served) -> None:
    over = threading.Event()

    def work() -> None:
        with mm.Client(served.url) as client:
            client.workers.register("w")
            while not over.wait(0.05):
                for task in client.workers.lease("w")["tasks"]:
                    client.workers.end("w", task)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        _, code = blocks("python", served.url)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=200, check=False
        )
    finally:
        over.set()
        worker.join()
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "completed"


def test_worker_on_the_page_runs_commands_and_passes_their_files_on(served: Served) -> None:
    code, _ = blocks("python", served.url)
    assert len([line for line in code.splitlines() if line.strip()]) <= 45

    def job(id_: str, command: list, **more: object) -> dict:
        config = {"command": command, **more}
        return {"id": id_, "type": "shell", "requiredCapabilities": [ME], "config": config}

    jobs = [
        {"id": "python", "type": "python"},  # which it cannot run, and is not given
        job("write", ["cp", "/etc/hostname", "name.txt"], artifacts={"name": "name.txt"}),
        job("read", ["wc", "-c", "${write.name}"]) | {"dependsOn": ["write"]},
        job("fail", ["ls", "/no such file"]) | {"maxRetries": 0, "onFailure": "continue"},
    ]
    worker = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    try:
        with mm.Client(served.url) as client:
            execution = client.executions.start({"workflowId": "w", "jobs": jobs})["executionId"]

            def states() -> dict[str, str]:
                shown = client.executions.jobs(execution)["jobs"]
                return {each["id"]: each["status"] for each in shown}

            ended = {"write": "succeeded", "read": "succeeded", "fail": "failed"}
            eventually(lambda: ended.items() <= states().items(), 60.0, "all ended but `python`")
            assert states()["python"] == "active"
            said = client.executions.logs(execution, "read")["lines"][0]["text"]
            failure = client.executions.logs(execution, "fail")["lines"][0]["text"]
    finally:
        worker.kill()
        worker.communicate()
    assert said == f"{Path('/etc/hostname').stat().st_size} name.txt\n"
    assert "no such file" in failure.lower()


def test_page_names_every_call(served: Served) -> None:
    settings = RestSettings(storage="a.db", host="127.0.0.1")
    paths = create_app(Site.of(settings, served.store)).openapi()["paths"]
    page = PAGE.read_text(encoding="utf-8")
    last_words = {path.rstrip("/").rpartition("/")[2] for path in paths}
    assert [word for word in sorted(last_words) if "{" not in word and word not in page] == []
