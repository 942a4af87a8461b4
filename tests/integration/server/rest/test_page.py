"""The calls on docs/rest.md work as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

from tests.integration.server.rest.conftest import Served

import morphml as mm
from morphml.server.rest.app import create_app
from morphml.server.rest.settings import RestSettings
from morphml.server.rest.site import Site

PAGE = Path(__file__).resolve().parents[4] / "docs" / "rest.md"
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
        (code,) = blocks("python", served.url)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        over.set()
        worker.join()
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "completed"


def test_page_names_every_call(served: Served) -> None:
    settings = RestSettings(storage="a.db", host="127.0.0.1")
    paths = create_app(Site.of(settings, served.store)).openapi()["paths"]
    page = PAGE.read_text(encoding="utf-8")
    last_words = {path.rstrip("/").rpartition("/")[2] for path in paths}
    assert [word for word in sorted(last_words) if "{" not in word and word not in page] == []
